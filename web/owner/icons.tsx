/** Icons of this page, in one style. */
import { LineIcon } from "../shared/line_icon.tsx";

const paths = {
  report: "M4 20h16M7 16v-5M12 16V6M17 16v-8",
  menu: "M4 6h16M4 12h16M4 18h10",
  tables: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 14h2v6M14 20h2",
  devices: "M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  collections:
    "M5 6.5C5 5 8.1 4 12 4s7 1 7 2.5S15.9 9 12 9 5 8 5 6.5ZM5 6.5v11C5 19 8.1 20 12 20s7-1 7-2.5v-11M5 12c0 1.5 3.1 2.5 7 2.5s7-1 7-2.5",
  films: "M4 6h16v12H4zM8 6v12M16 6v12M4 10h4M4 14h4M16 10h4M16 14h4",
  left: "M14.5 5.5 8 12l6.5 6.5",
  right: "M9.5 5.5 16 12l-6.5 6.5",
  up: "M6 14.5 12 8.5l6 6",
  down: "M6 9.5l6 6 6-6",
  bin: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  again: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15",
  add: "M12 5v14M5 12h14",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15 9.5h.01",
} as const;

export type Sign = keyof typeof paths;

export const Icon = ({ name, size = 24 }: { name: Sign; size?: number }) => (
  <LineIcon path={paths[name]} size={size} width={1.8} />
);

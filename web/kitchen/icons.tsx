/** Icons of the page, drawn with lines in the text's colour. */
import { LineIcon } from "../shared/line_icon.tsx";

const paths = {
  more: "M5 12h.01M12 12h.01M19 12h.01",
  print: "M7 9V4h10v5M7 17H4v-7h16v7h-3M7 14h10v6H7v-6Z",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4l2-2ZM10 21h4",
  mute: "M4 4l16 16M8 6.500A6 6 0 0 1 18 11v4M6 11v5l-2 2h14M10 21h4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  totals: "M17 5H7l6 7-6 7h10",
  soldOut: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM6 6l12 12",
  recall: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  phone: "M6 3h4l2 5-2.500 1.500a11 11 0 0 0 5 5L16 12l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 4 5a2 2 0 0 1 2-2Z",
  place: "M12 21s7-6.500 7-12a7 7 0 1 0-14 0c0 5.500 7 12 7 12ZM12 11.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z",
  lost: "M3 3l18 18M8.500 15.500a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4-2.500M19 12a10 10 0 0 0-5-2.800M2 8.500A15 15 0 0 1 6 6M22 8.500A15 15 0 0 0 11 5M12 19h.01",
  check: "M5 12.500l4.500 4.500L19 7",
};

export const Icon = ({ name, size = 24 }: { name: keyof typeof paths; size?: number }) => (
  <LineIcon path={paths[name]} size={size} width={name === "more" ? 3 : 2} />
);

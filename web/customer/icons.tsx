/** Icons of the page, drawn with lines in the text's colour. */
import { LineIcon } from "../shared/line_icon.tsx";

const paths = {
  cart: "M3 4h2l2.2 11h10.3L20 7H6.2M9 20h.01M17 20h.01",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  orders: "M6 3h12v18l-3-2-3 2-3-2-3 2V3ZM9 8h6M9 12h6",
  back: "M15 5l-7 7 7 7",
  on: "M9 5l7 7-7 7",
  bowl: "M4 12h16c0 4-3 7-6 7.5h-4C7 19 4 16 4 12ZM8 21h8M9 9c-1-1.5 1-2 0-3.5M12 9c-1-1.5 1-2 0-3.5M15 9c-1-1.5 1-2 0-3.5",
  shops: "M4 10v10h16V10M3 10l2-6h14l2 6M9 20v-6h6v6",
};

export const Icon = ({ name, size = 22 }: { name: keyof typeof paths; size?: number }) => (
  <LineIcon path={paths[name]} size={size} width={size > 40 ? 0.7 : 1.8} />
);

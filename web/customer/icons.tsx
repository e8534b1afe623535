/** Icons of the page, drawn with lines in the text's colour. */
import { LineIcon } from "../shared/line_icon.tsx";

const paths = {
  cart: "M3 4h2l2.2 11h10.3L20 7H6.2M9 20h.01M17 20h.01",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c1-4 4-5.5 7.5-5.5s6.500 1.500 7.500 5.500",
  orders: "M6 3h12v18l-3-2-3 2-3-2-3 2V3ZM9 8h6M9 12h6",
  back: "M15 5l-7 7 7 7",
  on: "M9 5l7 7-7 7",
  shops: "M4 10v10h16V10M3 10l2-6h14l2 6M9 20v-6h6v6",
};

export const Icon = ({ name, size = 22 }: { name: keyof typeof paths; size?: number }) => (
  <LineIcon path={paths[name]} size={size} width={1.8} />
);

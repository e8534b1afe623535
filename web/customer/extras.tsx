import { yuan } from "../shared/money.ts";
import type { Total } from "./cart.ts";
import { words } from "./dictionary.ts";

/** The parts of the total besides the dishes. */
export function Extras({ total: { packingFen, deliveryFen } }: { total: Total }) {
  const extras = [
    ...(packingFen > 0 ? [`${words.packing} ${yuan(packingFen)}`] : []),
    ...(deliveryFen > 0 ? [`${words.deliveryFee} ${yuan(deliveryFen)}`] : []),
  ];
  return extras.length === 0 ? null : <small class="quiet extras">{words.including(extras.join(" · "))}</small>;
}

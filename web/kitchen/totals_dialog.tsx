/** Dialog with the number of each dish still to be made. */
import type { OrderView } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import { localName, words } from "./dictionary.ts";
import { totalsOf } from "./totals.ts";

export function TotalsDialog({ queue, onClose }: { queue: readonly OrderView[]; onClose(): void }) {
  const totals = totalsOf(queue);
  return (
    <Dialog title={words.totals} closeLabel={words.close} onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list without buttons takes the focus, so that keys scroll it */}
      <section class="totals" aria-label={words.totals} tabIndex={0}>
        <p class="quiet">{words.totalsHint}</p>
        {totals.length === 0 && <p class="nothing">{words.noTotals}</p>}
        <ul>
          {totals.map(({ dish, names, quantity, ways }) => (
            <li key={dish} data-dish={dish}>
              <b>{quantity}</b>
              <div>
                <p>{localName(names)}</p>
                {(ways.length > 1 || ways.some(({ choices, note }) => choices.length > 0 || note !== "")) && (
                  <ul>
                    {ways.map((way, at) => (
                      <li key={at}>
                        {way.quantity} ×{" "}
                        {[...way.choices.map(({ choiceNames }) => localName(choiceNames)), way.note]
                          .filter((text) => text !== "")
                          .join(" · ") || "—"}
                      </li>
                    ))}
                  </ul>
                )}
              </div>
            </li>
          ))}
        </ul>
      </section>
    </Dialog>
  );
}

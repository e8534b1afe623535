/** How many of each dish are still to be made. */
import type { OrderView } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import { say, words } from "./speak.ts";
import { totalsOf } from "./totals.ts";

export function TotalsDialog({ queue, onClose }: { queue: readonly OrderView[]; onClose(): void }) {
  const totals = totalsOf(queue);
  return (
    <Dialog title={words.totals} closeLabel={words.close} onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list without buttons is scrolled by keys, so it takes the focus */}
      <section class="totals" aria-label={words.totals} tabIndex={0}>
        <p class="quiet">{words.totalsHint}</p>
        {totals.length === 0 && <p class="nothing">{words.noTotals}</p>}
        <ul>
          {totals.map(({ dish, names, quantity, ways }) => (
            <li key={dish} data-dish={dish}>
              <b>{quantity}</b>
              <div>
                <p>{say(names)}</p>
                {(ways.length > 1 || ways.some(({ choices, note }) => choices.length > 0 || note !== "")) && (
                  <ul>
                    {ways.map((way, at) => (
                      <li key={at}>
                        {way.quantity} ×{" "}
                        {[...way.choices.map(({ choiceNames }) => say(choiceNames)), way.note]
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

/** Board: numbers of the orders being made and of those ready for pickup, large enough to read from a distance. */
import { useEffect, useState } from "preact/hooks";
import { serverNow, serverTimeOf } from "../shared/clock.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { setTitle } from "../shared/title.ts";
import { unlockChime } from "./chime.ts";
import { localName, timeOf, words } from "./dictionary.ts";
import { useBoard } from "./use_board.ts";

/** Numbers beyond this do not fit at a readable size: they are shown as a count. */
const maxPreparing = 60;

export function Board({ shopId }: { shopId: string }) {
  const { board, shop, fresh, over, staleSince, chimes } = useBoard(shopId);
  const [soundOn, setSoundOn] = useState(false);
  const now = useMinute();
  useEffect(() => setTitle({ shop: localName(shop?.names) }), [shop]);
  useEffect(() => {
    // Sound stays off until somebody touches the screen.
    const unlock = () => void unlockChime().then(setSoundOn);
    addEventListener("pointerup", unlock);
    addEventListener("keyup", unlock);
    return () => {
      removeEventListener("pointerup", unlock);
      removeEventListener("keyup", unlock);
    };
  }, []);

  if (over !== undefined)
    return (
      <main class="chooser">
        <h1>{words.shopUnknown}</h1>
        <ul>
          <li>
            <a href="?">{words.chooseShop}</a>
          </li>
        </ul>
      </main>
    );
  const preparing = board?.preparing ?? [];
  // The newest number comes first, where it is seen soonest.
  const ready = [...(board?.ready ?? [])].sort((a, b) => Number(fresh.has(b)) - Number(fresh.has(a)));
  return (
    <div class="board" data-chimes={chimes} data-sound={soundOn ? "on" : "off"}>
      <header>
        <h1>{localName(shop?.names)}</h1>
        {shop?.open === false && <p class="closed">{words.closed}</p>}
        {!soundOn && (
          <button type="button" class="button plain chime">
            {words.chime}
          </button>
        )}
        <LanguageSwitch />
        <time translate={false}>{now}</time>
      </header>
      <main>
        <section class="ready" aria-labelledby="ready">
          <h2 id="ready">
            {words.ready}
            {ready.length > 0 && <b>{ready.length}</b>}
          </h2>
          {board === undefined ? (
            <p class="none">{words.loading}</p>
          ) : ready.length === 0 ? (
            <p class="none">{words.noReady}</p>
          ) : (
            <ul class={`numbers ${sizeOf(ready.length)}`}>
              {ready.map((number) => (
                <li
                  key={number}
                  class={fresh.has(number) ? "fresh" : ""}
                  data-fresh={fresh.has(number)}
                  translate={false}
                >
                  {number}
                  {fresh.has(number) && <small>{words.fresh}</small>}
                </li>
              ))}
            </ul>
          )}
        </section>
        <section class="preparing" aria-labelledby="preparing">
          <h2 id="preparing">
            {words.preparing}
            {preparing.length > 0 && <b>{preparing.length}</b>}
          </h2>
          {preparing.length === 0 ? (
            <p class="none">{board === undefined ? "" : words.noPreparing}</p>
          ) : (
            <ul class={`numbers ${sizeOf(Math.min(preparing.length, maxPreparing))}`}>
              {preparing.slice(0, maxPreparing).map((number) => (
                <li key={number} translate={false}>
                  {number}
                </li>
              ))}
            </ul>
          )}
          {preparing.length > maxPreparing && <p class="more">{words.more(preparing.length - maxPreparing)}</p>}
        </section>
      </main>
      <p class="unseen" aria-live="polite">
        {fresh.size > 0 && words.newlyReady([...fresh])}
      </p>
      <div role="alert">
        {staleSince !== undefined && <p class="stale">{words.stale(timeOf(serverTimeOf(staleSince), true))}</p>}
      </div>
    </div>
  );
}

/** The fewer the numbers, the larger they are. */
const sizes = [
  [3, "huge"],
  [6, "big"],
  [10, "large"],
  [24, "middle"],
  [36, "compact"],
  [60, "small"],
] as const;
const sizeOf = (count: number): string => sizes.find(([most]) => count <= most)?.[1] ?? "tiny";

function useMinute(): string {
  const [now, setNow] = useState(timeOf(serverNow()));
  useEffect(() => {
    const timer = setInterval(() => setNow(timeOf(serverNow())), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

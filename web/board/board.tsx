/** What is being made and what can be fetched, in numbers that are read from across the room. */
import { useEffect, useState } from "preact/hooks";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { unlockChime } from "./chime.ts";
import { say, timeOf, words } from "./speak.ts";
import { useBoard } from "./use_board.ts";

/** More than fit at a size that can still be read are told as a count. */
const maxPreparing = 60;

export function Board({ shopId }: { shopId: string }) {
  const { board, shop, fresh, over, staleSince, chimes } = useBoard(shopId);
  const [heard, setHeard] = useState(false);
  const now = useMinute();
  useEffect(() => {
    // Without asking it stays off; whoever touches the screen has asked.
    const unlock = () => void unlockChime().then(setHeard);
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
  // The newest stands first, where everybody looks.
  const ready = [...(board?.ready ?? [])].sort((a, b) => Number(fresh.has(b)) - Number(fresh.has(a)));
  return (
    <div class="board" data-chimes={chimes} data-sound={heard ? "on" : "off"}>
      <header>
        <h1>{say(shop?.names)}</h1>
        {shop?.open === false && <p class="closed">{words.closed}</p>}
        {!heard && (
          <button type="button" class="button plain chime">
            {words.chime}
          </button>
        )}
        <LanguageSwitch />
        <time>{now}</time>
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
                <li key={number} class={fresh.has(number) ? "fresh" : ""} data-fresh={fresh.has(number)}>
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
                <li key={number}>{number}</li>
              ))}
            </ul>
          )}
          {preparing.length > maxPreparing && <p class="more">{words.more(preparing.length - maxPreparing)}</p>}
        </section>
      </main>
      <p class="unseen" aria-live="polite">
        {fresh.size > 0 && words.newlyReady([...fresh])}
      </p>
      <div role="alert">{staleSince !== undefined && <p class="stale">{words.stale(timeOf(staleSince, true))}</p>}</div>
    </div>
  );
}

/** Fewer numbers are larger ones. */
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
  const [now, setNow] = useState(timeOf(Date.now()));
  useEffect(() => {
    const timer = setInterval(() => setNow(timeOf(Date.now())), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

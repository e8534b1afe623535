/** State of the board: the numbers, live; those that became ready since it was opened; and how fresh they are. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../clients/browser.ts";
import type { Board, BoardState, ShopBrief } from "../../clients/types.ts";
import { useChannelState } from "../shared/state_banner.tsx";
import { setZone } from "../shared/zone.ts";
import { chime } from "./chime.ts";
import { client } from "./client.ts";

/** A number is shown as new for this time. */
export const freshMs = 30_000;
const graceMs = 8_000;

export interface UseBoard {
  board: BoardState | undefined;
  shop: ShopBrief | undefined;
  /** Numbers that became ready a moment ago. */
  fresh: ReadonlySet<string>;
  over: ApiError | undefined;
  /** Undefined while the numbers are fresh; else the time of the last message, ms. */
  staleSince: number | undefined;
  /** The number of times the chime was due. */
  chimes: number;
}

export function useBoard(shopId: string): UseBoard {
  const [board, setBoard] = useState<BoardState>();
  const [shop, setShop] = useState<ShopBrief>();
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [over, setOver] = useState<ApiError>();
  const [chimes, setChimes] = useState(0);
  const before = useRef<ReadonlySet<string>>(undefined);

  useEffect(() => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    const watch = client.watch("board", {
      shop: shopId,
      onChange(now) {
        setBoard(now);
        const known = before.current;
        before.current = new Set(now.ready);
        // Orders that were ready before the board was switched on are not new.
        const news = known === undefined ? [] : now.ready.filter((number) => !known.has(number));
        if (news.length === 0) return;
        chime();
        setChimes((count) => count + 1);
        setFresh((old) => new Set([...old, ...news]));
        const timer = setTimeout(() => {
          timers.delete(timer);
          setFresh((old) => new Set([...old].filter((number) => !news.includes(number))));
        }, freshMs);
        timers.add(timer);
      },
      onError: setOver,
    });
    const take = (now: ShopBrief) => {
      setZone(now.zone);
      setShop(now);
    };
    const menu = client.watch("menu", { shop: shopId, onChange: (info) => take(info.shop) });
    client
      .ask<Board>({ method: "GET", path: `/shops/${shopId}/board`, open: true })
      .then((answer) => take(answer.shop))
      .catch(() => {});
    return () => {
      watch.close();
      menu.close();
      for (const timer of timers) clearTimeout(timer);
    };
  }, [shopId]);

  const state = useChannelState(client);
  const well = state === "live" || state === "polling";
  const [late, setLate] = useState(false);
  const [began] = useState(Date.now());
  useEffect(() => {
    if (well) return setLate(false);
    const timer = setTimeout(() => setLate(true), navigator.onLine === false ? 0 : graceMs);
    return () => clearTimeout(timer);
  }, [well]);
  return { board, shop, fresh, over, chimes, staleSince: late && !well ? client.heardAt() || began : undefined };
}

/** The numbers, live; which of them became ready while this board looked; and whether any of it is still true. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../clients/browser.ts";
import type { Board, BoardState, ShopBrief } from "../../clients/types.ts";
import { useChannelState } from "../shared/state_banner.tsx";
import { chime } from "./chime.ts";
import { client } from "./client.ts";

/** So long a number is shown as new. */
export const freshMs = 30_000;
const graceMs = 8_000;

export interface UseBoard {
  board: BoardState | undefined;
  shop: ShopBrief | undefined;
  /** Numbers that became ready a moment ago. */
  fresh: ReadonlySet<string>;
  over: ApiError | undefined;
  /** Undefined while all is well; else when anything was last heard, ms. */
  staleSince: number | undefined;
  /** How often the chime was due. */
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
        // What was ready when the board was switched on is no news.
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
    const menu = client.watch("menu", { shop: shopId, onChange: (info) => setShop(info.shop) });
    client
      .ask<Board>({ method: "GET", path: `/shops/${shopId}/board`, open: true })
      .then((answer) => setShop((now) => now ?? answer.shop))
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
  useEffect(() => {
    if (well) return setLate(false);
    const timer = setTimeout(() => setLate(true), graceMs);
    return () => clearTimeout(timer);
  }, [well]);
  return { board, shop, fresh, over, chimes, staleSince: late && !well ? client.heardAt() : undefined };
}

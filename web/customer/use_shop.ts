/** The shop's current state: open or closed, prices, sold out. From the first answer, then updated by the stream. */
import { useEffect, useState } from "preact/hooks";
import type { ShopInfo } from "../../clients/types.ts";
import { setZone } from "../shared/zone.ts";
import { askShop, firstAnswer, type RequestError, tableToken } from "./first_request.ts";
import type { Rest } from "./use_rest.ts";

export interface ShopState {
  info: ShopInfo | undefined;
  /** The address's code is not a table of this shop. */
  tableLost: boolean;
  /** There is no such shop. */
  unknown: boolean;
  /** The first request failed, and is being repeated. */
  slow: boolean;
  /** Fetches it again, after an error has shown that it changed. */
  refresh(): void;
}

const pauseMs = 1_500;

export function useShop(shop: string, rest: Rest | undefined): ShopState {
  const [info, setInfo] = useState<ShopInfo>();
  const [tableLost, setTableLost] = useState(false);
  const [unknown, setUnknown] = useState(false);
  const [slow, setSlow] = useState(false);
  /** The stream's answers have no table. */
  const show = (next: ShopInfo) => {
    setZone(next.shop.zone);
    setInfo((now) => ({ ...next, table: next.table ?? now?.table ?? null }));
  };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const load = (table: string | undefined, early?: Promise<unknown>): Promise<void> =>
      ((early as Promise<ShopInfo> | undefined) ?? askShop<ShopInfo>({ shop, table })).then(
        (answer) => {
          setSlow(false);
          show(answer);
        },
        ({ code }: RequestError) => {
          if (table !== undefined && (code === "TABLE_UNKNOWN" || code === "INVALID_INPUT")) {
            setTableLost(true);
            return load(undefined);
          }
          if (code === "SHOP_UNKNOWN" || code === "INVALID_INPUT") return setUnknown(true);
          setSlow(true);
          timer = setTimeout(() => void load(table), pauseMs);
        },
      );
    void load(tableToken, firstAnswer);
    return () => clearTimeout(timer);
  }, [shop]);

  const there = info !== undefined;
  useEffect(() => {
    if (!there || rest === undefined) return;
    const watch = rest.client.watch("menu", { shop, onChange: show });
    return () => watch.close();
  }, [shop, rest, there]);

  const refresh = () => void rest?.client.shop(shop).then(show, () => {});
  return { info, tableLost, unknown, slow, refresh };
}

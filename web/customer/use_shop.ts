/** The shop as it is now: open or closed, prices, sold out. Shown from the first answer, then kept true by the stream. */
import { useEffect, useState } from "preact/hooks";
import type { ShopInfo } from "../../clients/types.ts";
import { askShop, firstAnswer, type Refusal, tableToken } from "./first.ts";
import type { Rest } from "./use_rest.ts";

export interface ShopState {
  info: ShopInfo | undefined;
  /** The code of the address is no table of this shop. */
  tableLost: boolean;
  /** There is no such shop. */
  unknown: boolean;
  /** Asked more than once. */
  slow: boolean;
  /** Fetches it anew, after a refusal has shown that it changed. */
  refresh(): void;
}

const pauseMs = 1_500;

export function useShop(shop: string, rest: Rest | undefined): ShopState {
  const [info, setInfo] = useState<ShopInfo>();
  const [tableLost, setTableLost] = useState(false);
  const [unknown, setUnknown] = useState(false);
  const [slow, setSlow] = useState(false);
  /** The stream's answers do not know of the table. */
  const keep = (next: ShopInfo) => setInfo((now) => ({ ...next, table: next.table ?? now?.table ?? null }));

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const load = (table: string | undefined, early?: Promise<unknown>): Promise<void> =>
      ((early as Promise<ShopInfo> | undefined) ?? askShop<ShopInfo>({ shop, table })).then(
        (answer) => {
          setSlow(false);
          keep(answer);
        },
        ({ code }: Refusal) => {
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
    const watch = rest.client.watch("menu", { shop, onChange: keep });
    return () => watch.close();
  }, [shop, rest, there]);

  const refresh = () => void rest?.client.shop(shop).then(keep, () => {});
  return { info, tableLost, unknown, slow, refresh };
}

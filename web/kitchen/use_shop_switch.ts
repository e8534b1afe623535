/** The switch that opens and closes the shop. */
import { useCallback, useState } from "preact/hooks";
import { isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { why, words } from "./dictionary.ts";
import { isOffline } from "./use_connection.ts";

export interface ShopSwitch {
  /** The request is being sent. */
  switching: boolean;
  switchShop(open: boolean): Promise<void>;
}

/** @param onSwitched gets the server's answer @param report shows an error */
export function useShopSwitch(
  shopId: string,
  onSwitched: (open: boolean) => void,
  report: (text: string, about?: { network: boolean }) => void,
): ShopSwitch {
  const [switching, setSwitching] = useState(false);
  const switchShop = useCallback(
    async (open: boolean) => {
      if (isOffline()) return report(words.offlineRefused, { network: true });
      setSwitching(true);
      try {
        const path = `/shops/${shopId}/open`;
        onSwitched((await client.ask<{ open: boolean }>({ method: "PUT", path, body: { open } })).open);
      } catch (error) {
        if (!isApiError(error)) throw error;
        report(why(error));
      } finally {
        setSwitching(false);
      }
    },
    [shopId],
  );
  return { switching, switchShop };
}

/** The shop for its owner, read again when anyone has changed it. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { setZone } from "../shared/zone.ts";
import { ask, client } from "./client.ts";
import type { Shop } from "./types.ts";

const reloadMs = 5 * 60_000;

export interface UsedShop {
  shop: Shop | undefined;
  failed: unknown;
  reload(): Promise<Shop>;
}

export function useShop(id: string): UsedShop {
  const [shop, setShop] = useState<Shop>();
  const [failed, setFailed] = useState<unknown>();
  const asked = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++asked.current;
    try {
      const found = await ask<Shop>("GET", id, "/menu");
      // A later request has the newer answer.
      if (mine === asked.current) {
        setShop(found);
        setFailed(undefined);
      }
      return found;
    } catch (error) {
      if (mine === asked.current) setFailed(error);
      throw error;
    }
  }, [id]);
  useEffect(() => {
    const load = () => void reload().catch(() => {});
    load();
    // The public stream of the menu: watching the kitchen's stream would count as a kitchen screen.
    const watch = client.watch("menu", {
      shop: id,
      onChange(info) {
        setZone(info.shop.zone);
        load();
      },
    });
    // A page that stays open overnight moves to the next day.
    const onVisible = () => document.hidden || load();
    const timer = setInterval(onVisible, reloadMs);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      watch.close();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [id, reload]);
  return { shop, failed, reload };
}

/** The shop as its owner edits it, read anew when anybody has changed it. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, client } from "./client.ts";
import type { Shop } from "./types.ts";

const lookMs = 5 * 60_000;

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
      // A later question has the later answer.
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
    const look = () => void reload().catch(() => {});
    look();
    // The public stream of the menu: watching the kitchen's own would count as a kitchen's screen.
    const watch = client.watch("menu", { shop: id, onChange: look });
    // A page that was open over night finds itself in another day.
    const lookBack = () => document.hidden || look();
    const timer = setInterval(lookBack, lookMs);
    document.addEventListener("visibilitychange", lookBack);
    return () => {
      watch.close();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", lookBack);
    };
  }, [id, reload]);
  return { shop, failed, reload };
}

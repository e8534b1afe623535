/** Where in the page one is, in the address's hash: the phone's own "back" closes a sheet and leaves an order. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  name: "menu" | "dish" | "cart" | "checkout" | "order" | "orders" | "account";
  /** Of the dish or the order. */
  id: string;
}

const names = ["dish", "cart", "checkout", "order", "orders", "account"] as const;
const moved = new Set<() => void>();
const tell = () => {
  for (const hear of [...moved]) hear();
};
addEventListener("popstate", tell);
addEventListener("hashchange", tell);

/** @param hash such as "#order=01J…" */
export function readPlace(hash: string): Place {
  const [name = "", id = ""] = hash.slice(1).split("=", 2);
  return { name: names.find((known) => known === name) ?? "menu", id: decodeURIComponent(id) };
}

const addressOf = (hash: string) => location.pathname + location.search + (hash === "" ? "" : `#${hash}`);

/** @param hash without #; empty for the menu */
export function go(hash: string): void {
  history.pushState({ inside: true }, "", addressOf(hash));
  tell();
}

/** Goes on without a way back to here. */
export function goInstead(hash: string): void {
  history.replaceState(history.state, "", addressOf(hash));
  tell();
}

/** Back to where one came from; for one who came by a link, to the menu. */
export function leave(): void {
  if ((history.state as { inside?: boolean } | null)?.inside === true) history.back();
  else goInstead("");
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => readPlace(location.hash));
  useEffect(() => {
    const hear = () => setPlace(readPlace(location.hash));
    // A part of the page may have gone on before this is heard.
    hear();
    moved.add(hear);
    return () => void moved.delete(hear);
  }, []);
  return place;
}

/** The page's route, in the address's hash: the phone's back button closes a sheet and leaves an order. */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  name: "menu" | "dish" | "line" | "cart" | "checkout" | "order" | "orders" | "account";
  /** The id of the dish or the order; the number of the line in the cart. */
  id: string;
}

const names = ["dish", "line", "cart", "checkout", "order", "orders", "account"] as const;
const listeners = new Set<() => void>();
const emit = () => {
  for (const listener of [...listeners]) listener();
};
addEventListener("popstate", emit);
addEventListener("hashchange", emit);

/** @param hash such as "#order=01J…" */
export function readRoute(hash: string): Route {
  const [name = "", id = ""] = hash.slice(1).split("=", 2);
  return { name: names.find((known) => known === name) ?? "menu", id: decodeURIComponent(id) };
}

const addressOf = (hash: string) => location.pathname + location.search + (hash === "" ? "" : `#${hash}`);

/** @param hash without #; empty for the menu */
export function go(hash: string): void {
  history.pushState({ inside: true }, "", addressOf(hash));
  emit();
}

/** Replaces the current route: "back" does not return to it. */
export function redirect(hash: string): void {
  history.replaceState(history.state, "", addressOf(hash));
  emit();
}

/** Goes back to the route before; after a link from outside, to the menu. */
export function goBack(): void {
  if ((history.state as { inside?: boolean } | null)?.inside === true) history.back();
  else redirect("");
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const listener = () => setRoute(readRoute(location.hash));
    // The route may have changed before this event arrives.
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return route;
}

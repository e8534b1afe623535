/** The carts, one per shop, kept over reloads and shared by tabs. */
import { useEffect, useState } from "preact/hooks";
import type { Cart } from "./cart.ts";
import { cartName, keepCart, readCart } from "./kept.ts";

const carts = new Map<string, Cart>();
const hearers = new Set<() => void>();
const tell = () => {
  for (const hear of [...hearers]) hear();
};

addEventListener("storage", ({ key }) => {
  for (const shop of carts.keys()) if (key === null || key === cartName(shop)) carts.delete(shop);
  tell();
});

export function getCart(shop: string): Cart {
  const known = carts.get(shop) ?? readCart(shop);
  carts.set(shop, known);
  return known;
}

export function setCart(shop: string, cart: Cart): void {
  carts.set(shop, cart);
  keepCart(shop, cart);
  tell();
}

export function useCart(shop: string): Cart {
  const [cart, show] = useState(() => getCart(shop));
  useEffect(() => {
    const hear = () => show(getCart(shop));
    hear();
    hearers.add(hear);
    return () => void hearers.delete(hear);
  }, [shop]);
  return cart;
}

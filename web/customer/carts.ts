/** The carts, one per shop, stored over reloads and shared by tabs. */
import { useEffect, useState } from "preact/hooks";
import type { Cart } from "./cart.ts";
import { cartName, readCart, saveCart } from "./stored.ts";

const carts = new Map<string, Cart>();
const listeners = new Set<() => void>();
const emit = () => {
  for (const listener of [...listeners]) listener();
};

addEventListener("storage", ({ key }) => {
  for (const shop of carts.keys()) if (key === null || key === cartName(shop)) carts.delete(shop);
  emit();
});

export function getCart(shop: string): Cart {
  const known = carts.get(shop) ?? readCart(shop);
  carts.set(shop, known);
  return known;
}

export function setCart(shop: string, cart: Cart): void {
  carts.set(shop, cart);
  saveCart(shop, cart);
  emit();
}

export function useCart(shop: string): Cart {
  const [cart, show] = useState(() => getCart(shop));
  useEffect(() => {
    const listener = () => show(getCart(shop));
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [shop]);
  return cart;
}

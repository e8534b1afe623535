/** Values stored on this phone: carts by shop, the contact for deliveries. They are sent only with an order. */
import type { Service } from "../../clients/types.ts";
import { type Cart, emptyCart } from "./cart.ts";

export interface Contact {
  name: string;
  phone: string;
  address: string;
}

function read<T>(name: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(name) ?? "{}");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the value lasts as long as the page.
  }
}

/** @returns whether storage has space for an order that must be sent again after the page was closed; if not, the page says so */
export function canStore(): boolean {
  const probe = "orderbell?";
  try {
    localStorage.setItem(probe, probe.repeat(999));
    localStorage.removeItem(probe);
    return true;
  } catch {
    return false;
  }
}

export const cartName = (shop: string) => `orderbell:cart:${shop}`;

export function readCart(shop: string): Cart {
  const { lines, note } = read<Cart>(cartName(shop));
  return Array.isArray(lines) ? { lines, note: note ?? "" } : emptyCart;
}

export const saveCart = (shop: string, cart: Cart) =>
  write(cartName(shop), cart.lines.length === 0 && cart.note === "" ? undefined : cart);

const contactName = "orderbell:contact";

export const readContact = (): Contact => ({ name: "", phone: "", address: "", ...read<Contact>(contactName) });
export const saveContact = (contact: Contact | undefined) => write(contactName, contact);

const serviceName = "orderbell:service";

/** The service of last time. */
export const readService = () => read<{ service: Service }>(serviceName).service;
export const saveService = (service: Service) => write(serviceName, { service });

const takenName = "orderbell:taken";
const takenMs = 15 * 60_000;

/** An order that was taken and perhaps not shown yet: the page may be closed at the moment of the answer. */
export const saveTaken = (taken: { shop: string; id: string } | undefined) =>
  write(takenName, taken && { ...taken, at: Date.now() });

export function readTaken(shop: string): string | undefined {
  const taken = read<{ shop: string; id: string; at: number }>(takenName);
  return taken.shop === shop && Date.now() - (taken.at ?? 0) < takenMs ? taken.id : undefined;
}

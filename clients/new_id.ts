import type { Platform } from "./platform.ts";

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID, as the server makes them. Made here, so that what is sent again because its answer was lost is not taken twice. */
export function newId({ now, random }: Pick<Platform, "now" | "random">): string {
  let id = "";
  for (let left = now(); id.length < 10; left = Math.floor(left / 32)) id = digits[Math.floor(left) % 32] + id;
  while (id.length < 26) id += digits[Math.floor(random() * 32)];
  return id;
}

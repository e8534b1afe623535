/** Says on standard output that a peer is ready, as one line of JSON for the generator. */
import type { AddressInfo, Server } from "node:net";
import type { OrderServer } from "../_load.ts";
import type { Shop } from "../generator/generator.ts";

/** Shops and customers of a peer without accounts: shop `n` has customer `n`. @param socketOf the kitchen's socket of a shop */
export function anonymous(
  count: number,
  socketOf: (shop: string) => Pick<Shop, "path" | "hello">,
): Pick<OrderServer, "shops" | "customers"> {
  const shops = Array.from({ length: count }, (_, at) => `shop-${at}`);
  return {
    shops: shops.map((id) => ({ id, protocols: [], ...socketOf(id) })),
    customers: shops.map((_, shop) => ({ token: "none", shop })),
  };
}

export function sayReady(server: Server, of: Omit<OrderServer, "port">): void {
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ port, ...of })}\n`);
  });
}

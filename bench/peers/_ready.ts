/** Says on standard output that a contender is ready, as one line of JSON for the generator. */
import type { AddressInfo, Server } from "node:net";
import type { OrderServer } from "../_load.ts";

/** Shops and customers of a contender without accounts: shop `n` has customer `n`. */
export const anonymous = (shopCount: number) =>
  Array.from({ length: shopCount }, (_, shop) => ({ token: "none", shop }));

export function sayReady(server: Server, of: Omit<OrderServer, "port">): void {
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ port, ...of })}\n`);
  });
}

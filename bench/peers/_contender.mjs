/** Says on standard output that a peer is ready, as one line of JSON for the generator. Shop `n` has customer `n`; there are no accounts. */

/** @param of `kind`, `ready`, `numbered`, and the socket of a shop */
export function sayReady(server, shopCount, { kind, ready, numbered, socketOf }) {
  server.listen(0, "127.0.0.1", () => {
    const shops = Array.from({ length: shopCount }, (_, at) => ({
      id: `shop-${at}`,
      protocols: [],
      ...socketOf(`shop-${at}`),
    }));
    const customers = shops.map((_, shop) => ({ token: "none", shop }));
    const { port } = server.address();
    process.stdout.write(`${JSON.stringify({ port, path: "/orders", kind, ready, numbered, shops, customers })}\n`);
  });
}

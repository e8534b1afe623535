/**
 * Rings a terminal's bell while an order waits, and prints each new one.
 *
 *     node --import tsx examples/kitchen_bell.ts <api> <shop> <pairing code>
 */
// In a project with the package: `from "orderbell-sdk/node"`.
import { createClient } from "../clients/node.ts";

const [url, shop, pairingCode] = process.argv.slice(2);
if (url === undefined || shop === undefined || pairingCode === undefined)
  throw new TypeError("usage: kitchen_bell.ts <api> <shop> <pairing code>");

const client = createClient({ url, guest: false });
await client.pair(pairingCode);

const printed = new Set<string>();
let waiting = 0;

client.watch("orders", {
  shop,
  onChange(orders) {
    const placed = orders.filter(({ status }) => status === "placed");
    // The bell follows from the list: an event may be lost or come twice, but the list is always complete.
    waiting = placed.length;
    for (const order of placed) {
      if (printed.has(order.id)) continue;
      printed.add(order.id);
      const lines = order.lines.map(({ quantity, names }) => `${quantity} × ${names.zh ?? names.en}`);
      process.stdout.write(`${order.number} ${lines.join(", ")}\n`);
    }
  },
  onError(error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
});
client.onState((state) => process.stderr.write(`${state}\n`));

const bell = setInterval(() => waiting > 0 && process.stdout.write("\x07"), 2_000);

process.once("SIGTERM", stop).once("SIGINT", stop);
function stop(): void {
  clearInterval(bell);
  client.close();
}

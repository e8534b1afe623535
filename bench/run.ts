/** `npm run bench [name] [options]`. */
import { firstDish } from "./first_dish.ts";
import { orderToKitchen } from "./order_to_kitchen.ts";
import { tunnelRoundTrip } from "./tunnel_round_trip.ts";
import { watchFanOut } from "./watch_fan_out.ts";

const benches: Record<string, (argv: readonly string[]) => Promise<void>> = {
  order_to_kitchen: orderToKitchen,
  first_dish: firstDish,
  tunnel_round_trip: tunnelRoundTrip,
  watch_fan_out: watchFanOut,
};

const [name, ...options] = process.argv.slice(2);
const chosen = name === undefined || name.startsWith("-") ? Object.keys(benches) : [name];
for (const one of chosen) {
  const bench = benches[one];
  if (bench === undefined)
    throw new TypeError(`there is no bench "${one}"; there are ${Object.keys(benches).join(", ")}`);
  await bench(name === one ? options : process.argv.slice(2));
}

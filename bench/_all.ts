/** All workloads, in the order in which they run. */
import type { Workload } from "./_workload.ts";
import { firstDish } from "./first_dish.ts";
import { orderToKitchen } from "./order_to_kitchen.ts";
import { tunnelRoundTrip } from "./tunnel_round_trip.ts";
import { watchFanOut } from "./watch_fan_out.ts";

export const workloads: readonly Workload[] = [orderToKitchen, firstDish, tunnelRoundTrip, watchFanOut];

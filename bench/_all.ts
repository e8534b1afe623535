/** All workloads, in the order in which they run. */
import type { Workload } from "./_workload.ts";
import { capacity } from "./capacity.ts";
import { costGrowth } from "./cost_growth.ts";
import { cpuPerOrder } from "./cpu_per_order.ts";
import { enginesWorkload } from "./engines.ts";
import { fanOut } from "./fan_out.ts";
import { files } from "./files.ts";
import { firstDish } from "./first_dish.ts";
import { firstStart } from "./first_start.ts";
import { functionsOnAws } from "./functions_on_aws.ts";
import { generatorProof } from "./generator_proof.ts";
import { hotShop } from "./hot_shop.ts";
import { idle } from "./idle.ts";
import { opening } from "./opening.ts";
import { orderToKitchen } from "./order_to_kitchen.ts";
import { reconnectStorm } from "./reconnect_storm.ts";
import { steps } from "./steps.ts";
import { tunnelRoundTrip } from "./tunnel_round_trip.ts";
import { watchFanOut } from "./watch_fan_out.ts";

export const workloads: readonly Workload[] = [
  generatorProof,
  orderToKitchen,
  capacity,
  cpuPerOrder,
  hotShop,
  opening,
  steps,
  enginesWorkload,
  firstDish,
  tunnelRoundTrip,
  watchFanOut,
  fanOut,
  idle,
  files,
  reconnectStorm,
  costGrowth,
  functionsOnAws,
  firstStart,
];

/** Contender `orderbell` of the workloads with orders: shops, customers and kitchens. */
import { orderServer, sayReady, startOrderbell } from "./_orderbell_process.ts";

const [url = "pglite:", shopCount = "20", customerCount = shopCount] = process.argv.slice(2);
const machine = await startOrderbell(url);
sayReady(await orderServer(machine, Number(shopCount), Number(customerCount)));

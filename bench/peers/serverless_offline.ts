/**
 * Peer `serverless_offline`: our own functions, bundled for AWS, in serverless-offline 13.9 (httpApi and websocket, in process). It emulates
 * API Gateway for development; README.md says what it cannot do.
 */
import { mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { buildFunction } from "../../scripts/build.ts";
import { benchKey, orderServer, sayReady, startOrderbell } from "../_orderbell_process.ts";

const [url = "", shopCount = "20", customerCount = shopCount] = process.argv.slice(2);
const root = fileURLToPath(new URL("../..", import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Shops, customers and kitchens are made by a server of ours, which then ends.
const machine = await startOrderbell(url);
const server = await orderServer(machine, Number(shopCount), Number(customerCount));
await machine.stop();

const [httpPort, websocketPort, lambdaPort] = [await freePort(), await freePort(), await freePort()];
// A process that is killed cleans up nothing: the next one does.
const folder = join(root, "bench/peers/node_modules/.orderbell");
rmSync(folder, { recursive: true, force: true });
const events = {
  bill: [{ httpApi: "POST /bill" }],
  session: [{ httpApi: "POST /session/ticket" }],
  ws_register: [{ websocket: { route: "$connect" } }],
  ws_transmit: [{ websocket: { route: "$default" } }],
  ws_unregister: [{ websocket: { route: "$disconnect" } }],
  fan_out: [],
};
for (const name of Object.keys(events)) {
  const { file, code } = await buildFunction(name, { engine: "postgres", network: false });
  const path = join(folder, name, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
}
writeFileSync(join(folder, "package.json"), "{}");
writeFileSync(
  join(folder, "serverless.yml"),
  stringify({
    service: "orderbell",
    provider: {
      name: "aws",
      runtime: "nodejs20.x",
      region: "us-east-1",
      httpApi: { payload: "2.0" },
      environment: {
        DATABASE_URL: url,
        SIGNING_KEY: benchKey,
        LOG_LEVEL: "info",
        FUNCTION_PREFIX: "orderbell-dev-",
        CALLBACK_URL: `http://127.0.0.1:${websocketPort}`,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "offline",
        AWS_SECRET_ACCESS_KEY: "offline",
        AWS_ENDPOINT_URL: `http://127.0.0.1:${lambdaPort}`,
      },
    },
    plugins: ["serverless-offline"],
    custom: {
      "serverless-offline": {
        host: "127.0.0.1",
        httpPort,
        websocketPort,
        lambdaPort,
        useInProcess: true,
        noPrependStageInUrl: true,
      },
    },
    functions: Object.fromEntries(
      Object.entries(events).map(([name, events]) => [name, { handler: `${name}/functions/${name}.handler`, events }]),
    ),
  }),
);

// What it prints goes into a file, as that of orderbell does.
const log = openSync(join(folder, "log"), "a");
const print = process.stdout.write.bind(process.stdout);
const toFile = (text: string | Uint8Array) => {
  writeSync(log, typeof text === "string" ? text : Buffer.from(text).toString());
  return true;
};
process.stdout.write = toFile as typeof process.stdout.write;
process.stderr.write = toFile as typeof process.stderr.write;
process.chdir(folder);
process.argv = [process.argv[0] as string, "serverless", "offline"];
await import(join(root, "node_modules/serverless/bin/serverless.js"));

for (;;) {
  const answers = await fetch(`http://127.0.0.1:${httpPort}/session/ticket`, { method: "POST" }).catch(() => undefined);
  if (answers !== undefined) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
process.stdout.write = print;
sayReady({
  ...server,
  port: httpPort,
  socketPort: websocketPort,
  // Each push is an HTTP request of its own, and may overtake another: as on AWS, the client sorts.
  numbered: false,
  shops: server.shops.map((shop) => ({ ...shop, path: "/" })),
});
process.stdout.write = toFile as typeof process.stdout.write;

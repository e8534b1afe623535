/** `npm start`: the demo. Embedded database, two shops, a stand-in for WeChat, on this machine only unless told otherwise. */
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import axios from "axios";
import { renderUnicodeCompact } from "uqr";
import { trimConnections } from "../db/connections.ts";
import { migrate } from "../db/migrate.ts";
import { openPglite } from "../db/pglite.ts";
import { createDemoShops } from "../demo/shops.ts";
import { startWechat } from "../demo/wechat.ts";
import { homeOf, readConfig, readServerConfig } from "../shared/config.ts";
import { addWechatApp } from "../shared/keep_apps.ts";
import { newPairingCode } from "../shared/login.ts";
import { makeWechat } from "../shared/wechat.ts";
import { Misused } from "./commands.ts";
import { pages } from "./files.ts";
import { demoKeys } from "./keys.ts";
import { startMachine } from "./machine.ts";
import { ensurePages } from "./pages.ts";
import { untilStopped } from "./signals.ts";
import { listen } from "./socket.ts";
import { selfSigned } from "./tls.ts";

/** What the demo's mini-program is called; real ones are `wx` and 16 hex digits too. */
const demoApp = { appid: "wx0123456789abcdef", secret: "the-demo-has-no-secret-to-keep", name: "demo" };

export async function start(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { port, lan, tls } = optionsOf(argv);
  const home = homeOf(environment);
  const server = readServerConfig({ ...environment, ...(port === undefined ? {} : { PORT: port }) });
  // The folder's lock comes first: who is refused has touched nothing of the one that runs.
  const db = await openPglite({ directory: home });
  const closing = [() => db.close()];
  try {
    await migrate(db);
    const wechat = await startWechat({ apps: [demoApp] });
    closing.push(() => wechat.close());
    const config = readConfig({
      ...environment,
      ...demoKeys(home),
      DATABASE_URL: `pglite:${home}`,
      WECHAT_URL: wechat.url,
    });
    await ensurePages((line) => process.stdout.write(`${line}\n`));
    const pictures = join(home, "pictures");
    let admin: Awaited<ReturnType<typeof listen>> | undefined;
    const machine = await startMachine({
      config,
      db,
      wechat: makeWechat(axios.create({ baseURL: config.wechatUrl, timeout: 5_000 })),
      write: (line) => admin?.write(line),
      host: lan ? "0.0.0.0" : server.host,
      port: server.port,
      tls: tls ? await selfSigned(join(home, "tls"), addresses()) : undefined,
      trustedProxies: server.trustedProxies,
      files: pages(),
      pictures,
      limits: server,
    });
    closing.push(
      async () => admin?.close(),
      () => machine.stop(),
    );
    // This process is alone with the database: whatever was connected is not any more.
    await db.flight({ statements: trimConnections(Number.MAX_SAFE_INTEGER) });
    admin = await listen(home, (event) => machine.call("admin", event) as never);
    await addWechatApp(machine.app, demoApp);
    const { shops } = await createDemoShops(machine.app, pictures);

    const scheme = tls ? "https" : "http";
    const at = (address: string) => `${scheme}://${address}:${machine.server.port}`;
    // In the LAN an address must serve the phone and the tablet too.
    const [first = "127.0.0.1", ...others] = lan ? addresses() : [];
    const own = at(first);
    const [shop = ""] = shops;
    const pairing = async (device: string) =>
      (await newPairingCode(machine.app, { shop, role: "owner", device, by: null })).code;
    const order = `${own}/?shop=${shop}`;
    const kitchen = `${own}/kitchen#pair=${await pairing("demo kitchen")}`;
    const codes = lan ? ["", "order:", renderUnicodeCompact(order), "kitchen:", renderUnicodeCompact(kitchen)] : [];
    print([
      "orderbell, the demo: an embedded database that does not survive a power cut, a stand-in for WeChat.",
      `Its data is in ${home}/; \`npm run serve\` is for real work.`,
      "",
      `  order      ${order}`,
      `  kitchen    ${kitchen}`,
      `  board      ${own}/board?shop=${shop}`,
      `  owner      ${own}/owner#pair=${await pairing("demo owner")}`,
      `  api        ${own}/get_shop_info?shop=${shop}`,
      `  socket     ${own.replace("http", "ws")}/pgws`,
      ...others.map((address) => `  also at    ${at(address)}`),
      ...codes,
      "",
      `A pairing link works once, for ten minutes; \`npx orderbell pair ${shop}\` makes another code.`,
      "`npx orderbell tail` follows the log, Ctrl-C stops.",
    ]);
    await untilStopped();
  } finally {
    // The last one first. What stayed open would keep a process that has failed.
    for (const close of closing.toReversed()) await close();
  }
}

function optionsOf(argv: readonly string[]): { port: string | undefined; lan: boolean; tls: boolean } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        lan: { type: "boolean", default: false },
        tls: { type: "boolean", default: false },
      },
    });
    return { port: values.port, lan: values.lan, tls: values.tls };
  } catch (error) {
    throw new Misused(`${(error as Error).message}\nusage: orderbell start [--port 8787] [--lan] [--tls]`);
  }
}

/** The addresses under which others in the LAN find this machine. */
function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}

function print(lines: readonly string[]): void {
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}

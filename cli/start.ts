/** `npm start`: the demo, with an embedded database, two shops and a stand-in for WeChat. Reachable from this machine only, without `--lan`. */
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { renderUnicodeCompact } from "uqr";
import { trimConnections } from "../db/connections.ts";
import { migrate } from "../db/migrate.ts";
import { openPglite } from "../db/pglite.ts";
import { createDemoFilm } from "../demo/films.ts";
import { createDemoShops } from "../demo/shops.ts";
import { startWechat } from "../demo/wechat.ts";
import { serveWechatCodes } from "../demo/wechat_code.ts";
import { systemClock } from "../functions/_app.ts";
import { wechatClient } from "../functions/_wechat_client.ts";
import { homeOf, readConfig, readServerConfig } from "../shared/config.ts";
import { newPairingCode } from "../shared/sessions/login.ts";
import { addWechatApp } from "../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../shared/wechat.ts";
import { listenForAdmin } from "./admin_socket.ts";
import { filesFolder } from "./bucket_store.ts";
import { readCollections } from "./collections_file.ts";
import { demoKeys } from "./demo_keys.ts";
import { ensureExamples, ensurePages } from "./ensure_pages.ts";
import { logStart, stopAndLog } from "./first_and_last_line.ts";
import { openLogFiles } from "./log_files.ts";
import { startMachine } from "./machine.ts";
import { openMeasuring } from "./measure.ts";
import { readPurposes } from "./purposes_file.ts";
import { selfSigned } from "./self_signed.ts";
import { serveExamples, withExamples } from "./serve_examples.ts";
import { servePages } from "./serve_pages.ts";
import { untilStopped } from "./signals.ts";

/** The demo's mini-program; real app ids are `wx` and 16 hex digits too. */
const demoApp = { appid: "wx0123456789abcdef", secret: "the-demo-has-no-secret-to-keep", name: "demo" };

export interface StartOptions {
  /** Instead of PORT. */
  readonly port: string | undefined;
  readonly lan: boolean;
  readonly tls: boolean;
}

export async function start({ port, lan, tls }: StartOptions, environment: NodeJS.ProcessEnv): Promise<void> {
  const home = homeOf(environment);
  const server = readServerConfig({ ...environment, ...(port === undefined ? {} : { PORT: port }) });
  const declared = { collections: readCollections(environment), purposes: readPurposes(environment) };
  // Takes the folder's lock first: a second process changes nothing of the one that runs.
  const db = await openPglite({ directory: home });
  const closing = [() => db.close()];
  let signal: NodeJS.Signals | undefined;
  try {
    const applied = await migrate(db);
    const wechat = await startWechat({ apps: [demoApp] });
    closing.push(() => wechat.close());
    const environmentOfDemo = {
      // A business server that is tried out runs beside the demo.
      CALLBACK_NETWORKS: "127.0.0.0/8,::1",
      EXAMPLES: "on",
      ...environment,
      ...demoKeys(home),
      DATABASE_URL: `pglite:${home}`,
      WECHAT_URL: wechat.url,
    };
    const config = { ...readConfig(environmentOfDemo), ...declared };
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    await ensurePages(say);
    if (config.examples) await ensureExamples(say);
    const pictures = join(home, "pictures");
    const files = openLogFiles({
      home,
      keepBytes: server.logKeepBytes,
      name: String(process.pid),
      now: systemClock.now,
      onFailure: (code) => void process.stderr.write(`the log is not kept: ${code}\n`),
    });
    const measuring = await openMeasuring(server);
    closing.push(() => measuring.close());
    let admin: Awaited<ReturnType<typeof listenForAdmin>> | undefined;
    const machine = await startMachine({
      config,
      db,
      wechat: makeWechat(wechatClient(config.wechatUrl)),
      write(line) {
        files?.write(line);
        admin?.write(line);
      },
      host: lan ? "0.0.0.0" : server.host,
      port: server.port,
      tls: tls ? await selfSigned(join(home, "tls"), addresses()) : undefined,
      trustedProxies: server.trustedProxies,
      files: config.examples
        ? withExamples(serveWechatCodes(wechat), withExamples(serveExamples(), servePages()))
        : servePages(),
      pictures,
      filesFolder: filesFolder(server.files, home),
      limits: server,
      instruments: measuring.instruments,
      scrape: measuring.scrape,
    });
    closing.push(
      async () => admin?.close(),
      () => stopAndLog(machine, signal),
    );
    // Only this process uses the database, so no connection in it is alive.
    await db.flight({ statements: trimConnections(Number.MAX_SAFE_INTEGER) });
    admin = await listenForAdmin(home, (event) => machine.call("admin", event) as never, files);
    await logStart(machine.app.log, db, applied);
    await addWechatApp(machine.app, demoApp);
    const { shops } = await createDemoShops(machine.app, pictures);
    if (config.examples && shops[0] !== undefined) await createDemoFilm(machine.app, shops[0]);

    const scheme = tls ? "https" : "http";
    const at = (address: string) => `${scheme}://${address}:${machine.server.port}`;
    // In the LAN an address must serve the phone and the tablet too.
    const [first = "127.0.0.1", ...others] = lan ? addresses() : [];
    const own = at(first);
    const [shop = ""] = shops;
    const pairing = async (device: string) =>
      (await newPairingCode(machine.app, { shop, role: "owner", device, by: null })).code;
    const order = `${own}/?shop=${shop}`;
    const code = await pairing("demo kitchen");
    const kitchen = `${own}/kitchen#pair=${code}`;
    const codes = lan ? ["", "order:", renderUnicodeCompact(order), "kitchen:", renderUnicodeCompact(kitchen)] : [];
    print([
      "orderbell, the demo: an embedded database that does not survive a power cut, a stand-in for WeChat.",
      `Its data is in ${home}/; \`npm run serve\` is for real work.`,
      "",
      `  order      ${order}`,
      `  kitchen    ${kitchen}`,
      `  PAIRING    ${code}  (the code in the kitchen's link)`,
      `  board      ${own}/board?shop=${shop}`,
      `  owner      ${own}/owner#pair=${await pairing("demo owner")}`,
      `  api        ${own}/get_shop_info?shop=${shop}`,
      `  docs       ${own}/docs`,
      ...(config.examples ? [`  examples   ${own}/examples`] : []),
      `  socket     ${own.replace("http", "ws")}/pgws`,
      ...others.map((address) => `  also at    ${at(address)}`),
      ...codes,
      "",
      `A pairing link works once, for ten minutes; \`npx orderbell pair ${shop}\` makes another code.`,
      "`npx orderbell tail` follows the log, Ctrl-C stops.",
    ]);
    signal = await untilStopped();
  } finally {
    // The last one first. A failed process would not end while something is open.
    for (const close of closing.toReversed()) await close();
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

/** Business servers beside orderbell: the package for Node as its users get it, and the examples in other languages, each against a real house. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readUser } from "../../db/sessions.ts";
import { addWebhook, removeWebhook } from "../../shared/webhooks/webhooks.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { makeIssuer, tokenSettings } from "../_issuer.ts";
import { until } from "../_until.ts";
import { webhookEnvironment } from "../webhooks/_receiver.ts";

const root = resolve(__dirname, "../..");
/** A compiler, on a busy machine. */
jest.setTimeout(180_000);

let house: House;
let folder: string;
let key: string;
/** The system of a shop, whose private key the programs of docs/back-ends.md have. */
const issuer = makeIssuer("RS256");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-servers-"));
  house = await openHouse(anyEngine, {
    environment: { ...webhookEnvironment, ...tokenSettings(issuer.pem) },
    lookMs: 30,
  });
  const made = (await house.call("admin", {
    command: "keys.add",
    args: { name: "business", scopes: ["introspect", "notify", "publish"] },
  })) as { ok: { key: string } };
  key = made.ok.key;
});
afterAll(async () => {
  await house?.close();
  rmSync(folder, { recursive: true, force: true });
});

const has = (command: string, ...args: string[]) => spawnSync(command, args, { env: environment() }).status === 0;
const environment = (more: Record<string, string> = {}) => ({ ...process.env, NODE_OPTIONS: "", ...more });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

interface Server {
  readonly language: string;
  readonly here: boolean;
  /** Compiles what must be compiled first. */
  readonly prepare?: () => void;
  readonly command: (port: string) => readonly [string, ...string[]];
}

const example = (path: string) => join(root, "examples/servers", path);
const dotnet = /^1\d\./.test(spawnSync("dotnet", ["--version"], { encoding: "utf8" }).stdout ?? "");

const servers: readonly Server[] = [
  {
    language: "Node",
    here: true,
    prepare() {
      const packed = spawnSync("npm", ["pack", "--json", "--pack-destination", folder], {
        cwd: join(root, "servers/node"),
        encoding: "utf8",
        env: environment(),
      });
      const [{ filename, version, files }] = JSON.parse(packed.stdout) as [
        { filename: string; version: string; files: { path: string }[] },
      ];
      // One release of everything.
      expect(version).toBe(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
      expect(files.map(({ path }) => path).toSorted()).toEqual([
        "LICENSE",
        "README.md",
        "index.d.ts",
        "index.js",
        "package.json",
      ]);
      writeFileSync(join(folder, "package.json"), '{"type":"module"}');
      const install = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", join(folder, filename)];
      expect(spawnSync("npm", install, { cwd: folder, env: environment() }).status).toBe(0);
      writeFileSync(join(folder, "server.js"), nodeServer);
    },
    command: (port) => [process.execPath, join(folder, "server.js"), house.url, port],
  },
  {
    language: "Python",
    here: has("python3", "--version"),
    command: (port) => ["python3", example("python/server.py"), house.url, port],
  },
  {
    language: "PHP",
    here: has("php", "--version"),
    command: (port) => ["php", "-S", `127.0.0.1:${port}`, example("php/server.php")],
  },
  {
    language: "Java",
    here: has("java", "--version"),
    command: (port) => ["java", example("java/Server.java"), house.url, port],
  },
  {
    language: "C#",
    here: dotnet || has("mcs", "--version"),
    prepare() {
      if (dotnet) return;
      const args = ["-r:System.Net.Http", `-out:${join(folder, "server.exe")}`, example("csharp/Server.cs")];
      expect(spawnSync("mcs", args).status).toBe(0);
    },
    command: (port) =>
      dotnet
        ? ["dotnet", "run", example("csharp/Server.cs"), house.url, port]
        : ["mono", join(folder, "server.exe"), house.url, port],
  },
];

/** The server of the package's README, which also says whose token it is. */
const nodeServer = `import { createServer } from "node:http";
import { connectOrderbell, verifyWebhook, WebhookInvalid } from "orderbell-server";
const { ORDERBELL_KEY: key, WEBHOOK_SECRET: secret } = process.env;
const orderbell = connectOrderbell({ url: process.argv[2], key });
createServer(async (request, response) => {
  if (request.method === "PUT") {
    const { seq } = await orderbell.publish(request.url.slice(1), "m-1", { text: "hello" });
    return response.writeHead(200).end(String(seq));
  }
  if (request.method === "GET") {
    const session = await orderbell.verifySession(request.headers.authorization?.slice("Bearer ".length));
    return response.writeHead(session === undefined ? 401 : 200).end(session?.user);
  }
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const event = verifyWebhook(Buffer.concat(chunks), request.headers, secret);
    if (event.type === "com.orderbell.order.placed") {
      const { order } = event.data;
      await orderbell.notify({ user: order.customer, title: "Thank you", order: order.id }, \`thanks-\${order.id}\`);
    }
    response.writeHead(204).end();
  } catch (error) {
    response.writeHead(error instanceof WebhookInvalid ? 401 : 500).end();
  }
}).listen(Number(process.argv[3]), "127.0.0.1");
`;

describe.each(servers)("a business server in $language", ({ language, here, prepare, command }) => {
  // Skipped only where there is no such runtime.
  (here ? it : it.skip)("verifies webhooks and sessions, and thanks a guest once for an order", async () => {
    prepare?.();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const { webhook, secret } = await addWebhook(house.app, { url, shop: house.shop, types: undefined });
    const [program, ...args] = command(String(port));
    const own = { ORDERBELL_API: house.url, ORDERBELL_KEY: key, WEBHOOK_SECRET: secret };
    const child: ChildProcess = spawn(program, args, { env: environment(own), stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.on("data", (chunk) => {
      said += chunk;
    });
    try {
      const guest = await house.guest();
      const ask = (token: string) =>
        fetch(url, { headers: { authorization: `Bearer ${token}` } }).then(
          ({ status }) => status,
          () => 0,
        );
      let status = 0;
      for (let tries = 0; status === 0 && tries < 400; tries++) {
        status = await ask(guest.token);
        if (status === 0) await new Promise((done) => setTimeout(done, 100));
      }
      if (status !== 200) throw new Error(`it answered ${status}: ${said}`);
      expect(await ask("nobody's")).toBe(401);

      const order = (await guest.order()).body.order;
      await until(
        () => delivered(webhook, 1),
        "the event",
        () => said,
      );
      expect(await thanks(guest)).toEqual([expect.objectContaining({ title: "Thank you", order: order.id })]);
      if (language === "Node") {
        const { room } = (await guest.http("POST", "/rooms", { body: {} })).body;
        for (let n = 0; n < 2; n++) expect(await (await fetch(url + room.id, { method: "PUT" })).text()).toBe("1");
      }
      // The same event once more is one notification; a wrong signature, and an old one, are refused.
      const [stream, seq] = [`shop:${house.shop}`, await lastSeq(webhook)];
      await house.call("admin", { command: "webhook.replay", args: { webhook, stream, from: seq } });
      await until(
        () => delivered(webhook, 2),
        "the event again",
        () => said,
      );
      expect(await thanks(guest)).toHaveLength(1);
      const now = Math.floor(Date.now() / 1_000);
      for (const at of [now, now - 3_600]) {
        const headers = {
          "webhook-id": "a",
          "webhook-timestamp": String(at),
          "webhook-signature": `v1,${"A".repeat(43)}=`,
        };
        expect((await fetch(url, { method: "POST", body: "{}", headers })).status).toBe(401);
      }
    } finally {
      const over = once(child, "exit");
      child.kill("SIGKILL");
      await over;
      await removeWebhook(house.app, webhook);
    }
  });

  const linesOf = (webhook: string) =>
    house.lines.map((line) => JSON.parse(line)).filter((line) => line.event === "webhook" && line.webhook === webhook);
  const delivered = (webhook: string, count: number) =>
    linesOf(webhook).filter(({ status }) => String(status).startsWith("2")).length >= count;
  const lastSeq = async (webhook: string): Promise<number> => linesOf(webhook).at(-1)?.seq;
  const thanks = async (guest: Person) => (await guest.http("GET", "/orders")).body.notifications;
});

const guide = readFileSync(join(root, "docs/back-ends.md"), "utf8");

interface Program {
  readonly language: string;
  readonly here: boolean;
  /** As the page shows it, and where it is put. */
  readonly fence: string;
  readonly file: string;
  /** Runs it; the last argument is the file of the private key. */
  readonly command: (file: string) => readonly [string, ...string[]];
  readonly asXml?: boolean;
}

const programs: readonly Program[] = [
  {
    language: "Python",
    here: has("python3", "--version") && has("openssl", "version"),
    fence: "python",
    file: "till.py",
    command: (file) => ["python3", file],
  },
  { language: "PHP", here: has("php", "--version"), fence: "php", file: "till.php", command: (file) => ["php", file] },
  {
    language: "Java",
    here: has("java", "--version"),
    fence: "java",
    file: "Till.java",
    command: (file) => ["java", file],
  },
  {
    language: "C#",
    here: dotnet || has("mcs", "--version"),
    fence: "csharp",
    file: "Till.cs",
    asXml: true,
    command(file) {
      if (dotnet) return ["dotnet", "run", file];
      const made = join(folder, "till.exe");
      expect(spawnSync("mcs", ["-r:System.Net.Http", `-out:${made}`, file]).status).toBe(0);
      return ["mono", made];
    },
  },
];

describe.each(programs)("the program of docs/back-ends.md in $language", ({ here, fence, file, command, asXml }) => {
  (here ? it : it.skip)(
    "takes an order to its end, sets a price, tells the customer, and signs in a user of its own",
    async () => {
      const [, text = ""] = new RegExp(`\n\`\`\`${fence}\n([\\s\\S]*?)\`\`\`\n`).exec(guide) ?? [];
      const [program, privateKey] = [join(folder, file), join(folder, asXml ? "key.xml" : "key.pem")];
      writeFileSync(program, text);
      writeFileSync(privateKey, asXml ? issuer.privateXml() : issuer.privatePem());
      const scopes = ["orders:read", "orders:step", "orders:paid", "menu:write", "notify"];
      const args = { name: "till", scopes, shop: house.shop };
      const made = (await house.call("admin", { command: "keys.add", args })) as { ok: { id: string; key: string } };
      const guest = await house.guest();
      const { id } = (await guest.order({ lines: [{ dish: "tea", quantity: 1 }] })).body.order;
      const owner = await house.staff("owner");
      const reset = await owner.http("PUT", `/shops/${house.shop}/dishes/tea/price`, { body: { priceFen: 800 } });
      expect(reset.status).toBe(200);
      const [name, ...first] = command(program);
      const child = spawn(name, [...first, house.url, house.shop, id, privateKey], {
        env: environment({ ORDERBELL_KEY: made.ok.key }),
      });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
      await once(child, "close");
      expect(said).toMatch(/^own [0-9A-Z]{26}\s*$/);
      const { order, history } = (await owner.http("GET", `/orders/${id}`)).body;
      expect(order).toMatchObject({ status: "completed", payment: "paid" });
      expect(history.slice(1).map(({ by, key: of }: { by: string; key: string }) => [by, of])).toEqual(
        Array(4).fill(["key", "till"]),
      );
      const { menu } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
      expect(menu.dishes.find((dish: { id: string }) => dish.id === "tea").priceFen).toBe(900);
      const { notifications } = (await guest.http("GET", "/orders")).body;
      expect(notifications).toEqual([expect.objectContaining({ title: "Thank you", order: id })]);
      const [users] = await house.db.read([readUser(said.trim().slice("own ".length))]);
      expect(JSON.parse(String(users?.[0]?.profile))).toEqual({ nickName: "王小明" });
    },
  );
});

it("each example has at most thirty lines", () => {
  for (const path of ["python/server.py", "php/server.php", "java/Server.java", "csharp/Server.cs"])
    expect([path, readFileSync(example(path), "utf8").trimEnd().split("\n").length <= 30]).toEqual([path, true]);
});

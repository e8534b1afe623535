/** A whole orderbell for a test: a server on a free port, a shop with a menu, and people who use it over real HTTP and sockets. */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type Machine, type MachineOptions, startMachine } from "../cli/machine.ts";
import { readPurposes } from "../cli/purposes_file.ts";
import { systemClock } from "../functions/_app.ts";
import type { Clock } from "../shared/app.ts";
import { type Config, readConfig } from "../shared/config.ts";
import { type Menu, parseSettings, type Settings } from "../shared/menu.ts";
import type { Role } from "../shared/order_states.ts";
import type { OrderView, ServerMessage, StreamRequest } from "../shared/protocol.ts";
import { newPairingCode } from "../shared/sessions/login.ts";
import { editMenu } from "../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../shared/shop/open_shop.ts";
import { addTables } from "../shared/shop/tables.ts";
import { witness as contract } from "./_contract.ts";
import type { Engine, TestDatabase } from "./_engines.ts";
import { note } from "./_printed.ts";

export const testKeys = {
  SIGNING_KEY: "c2lnbmluZy1rZXktZm9yLXRlc3RzLTAxMjM0NTY3ODk",
  WECHAT_KEY: "d2VjaGF0LWtleS1mb3ItdGVzdHMtMDEyMzQ1Njc4OTA",
};

/** Time that a test can move on. Sleeping takes real time, but never long. */
export class TestClock implements Clock {
  #ahead = 0;
  now = () => Date.now() + this.#ahead;
  sleep = systemClock.sleep;
  forward(ms: number): void {
    this.#ahead += ms;
  }
}

/** No business day turns over while a test runs, whenever it runs. @returns minutes after midnight in Shanghai */
const halfADayAway = (now: number) => (Math.floor(now / 60_000) + (8 + 12) * 60) % (24 * 60);

export const testMenu: Menu = {
  categories: [
    { id: "noodles", names: { zh: "面", en: "Noodles" } },
    { id: "drinks", names: { zh: "饮料" } },
  ],
  dishes: [
    {
      id: "beef",
      category: "noodles",
      names: { zh: "红烧牛肉面", en: "Braised beef noodles" },
      priceFen: 2_800,
      packingFen: 100,
      dailyStock: null,
      available: true,
      station: "hot",
      options: [
        {
          id: "spice",
          names: { zh: "辣度", en: "Spice" },
          min: 1,
          max: 1,
          choices: [
            { id: "mild", names: { zh: "微辣", en: "mild" }, priceFen: 0, available: true },
            { id: "hot", names: { zh: "特辣", en: "hot" }, priceFen: 100, available: true },
          ],
        },
        {
          id: "extra",
          names: { zh: "加料", en: "Extras" },
          min: 0,
          max: 2,
          choices: [
            { id: "egg", names: { zh: "卤蛋", en: "egg" }, priceFen: 300, available: true },
            { id: "tofu", names: { zh: "豆干", en: "tofu" }, priceFen: 200, available: true },
          ],
        },
      ],
    },
    {
      id: "bun",
      category: "noodles",
      names: { zh: "肉包" },
      priceFen: 500,
      packingFen: 0,
      dailyStock: 50,
      available: true,
      options: [],
    },
    {
      id: "tea",
      category: "drinks",
      names: { zh: "茉莉花茶", en: "Jasmine tea" },
      priceFen: 800,
      packingFen: 0,
      dailyStock: null,
      available: true,
      options: [],
    },
    {
      id: "off",
      category: "drinks",
      names: { zh: "下架" },
      priceFen: 100,
      packingFen: 0,
      dailyStock: null,
      available: false,
      options: [],
    },
  ],
};

export const testSettings = (more: object = {}): Settings =>
  parseSettings({
    services: { table: true, pickup: true, delivery: { feeFen: 500, minimumFen: 2_000, freeFromFen: 10_000 } },
    limits: { perSession: null, perTable: null, perAddress: null, perShop: null },
    ...more,
  });

export interface HouseOptions extends Partial<Omit<MachineOptions, "config" | "db">> {
  readonly config?: Partial<Config>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: object;
  /** When the shop's business day begins: half a day away, unless the test is about it. */
  readonly rolloverMinutes?: number;
  /** The test breaks things: failures in the background are no surprise. */
  readonly mayFail?: boolean;
  /** Use this database instead of opening one. */
  readonly db?: TestDatabase;
}

export interface House extends Machine {
  readonly db: TestDatabase;
  readonly clock: TestClock;
  readonly url: string;
  readonly shop: string;
  readonly table: string;
  /** Every line that was logged. */
  readonly lines: string[];
  guest(): Promise<Person>;
  staff(role?: Role, shop?: string): Promise<Person>;
  http(method: string, path: string, options?: HttpOptions): Promise<Answer>;
  /** Stops the machine and starts another one on the same database and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests read any member.
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly body: any;
  readonly text: string;
}

/** A person with a session. */
export interface Person {
  readonly token: string;
  readonly session: string;
  readonly user: string;
  http(method: string, path: string, options?: HttpOptions): Promise<Answer>;
  /** Places an order; by default one bowl for pickup. */
  order(bill?: object, key?: string): Promise<Answer>;
  /** An open socket. */
  connect(): Promise<TestSocket>;
  ticket(): Promise<string>;
}

/** The text with another last character, whatever it ends with. */
export const altered = (text: string) => `${text.slice(0, -1)}${text.endsWith("-") ? "_" : "-"}`;

export const newKey = () => randomBytes(12).toString("base64url");

export const oneBowl = {
  lines: [{ dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["mild"] }] }],
  service: "pickup",
};

/** Called for each answer of each route; the first is test/_contract.ts, which holds them against openapi.yaml. */
export type Witness = (method: string, path: string, answer: Answer) => void;
const witnesses: Witness[] = [contract];
export const addWitness = (witness: Witness) => void witnesses.push(witness);

export async function openHouse(engine: Engine, options: HouseOptions = {}): Promise<House> {
  const db = options.db ?? (await engine.open());
  const clock = (options.clock as TestClock | undefined) ?? new TestClock();
  const lines: string[] = [];
  const environment = {
    ...testKeys,
    DATABASE_URL: "pglite:",
    LOG_LEVEL: "debug",
    CHECK_SHOP_MS: "300",
    CHECK_OTHER_MS: "500",
    COALESCE_MS: "40",
    ...options.environment,
  };
  const config = { ...readConfig(environment), purposes: readPurposes({}), ...options.config };
  // Removed with everything else of this run.
  const filesFolder = join(process.env.ORDERBELL_TEST_FOLDER ?? tmpdir(), `files-${randomBytes(6).toString("hex")}`);
  const start = (port: number) =>
    startMachine({
      host: "127.0.0.1",
      tickMs: 200,
      // Removed with everything else of this run.
      pictures: join(process.env.ORDERBELL_TEST_FOLDER ?? tmpdir(), `pictures-${randomBytes(6).toString("hex")}`),
      filesFolder,
      ...options,
      port,
      config,
      db,
      clock,
      write(line) {
        lines.push(line);
        note(line);
      },
    });
  let machine = await start(0);
  const { port } = machine.server;
  const url = `http://127.0.0.1:${port}`;
  const shop = "noodle-house";

  const [known] = await machine.app.db.read([(await import("../db/shops.ts")).readShop(shop)]);
  let table: string;
  if (known?.[0] === undefined) {
    await createShop(machine.app, {
      id: shop,
      names: { zh: "面馆", en: "Noodle house" },
      zone: "Asia/Shanghai",
      rolloverMinutes: options.rolloverMinutes ?? halfADayAway(clock.now()),
      settings: testSettings(options.settings),
    });
    await editMenu(machine.app, { actor: null, shop, action: "menu.import", edit: () => ({ menu: testMenu }) });
    [table] = (await addTables(machine.app, null, shop, ["5", "6"])).map(({ token }) => token) as [string];
    await openShop(machine.app, null, shop, true);
  } else {
    table = String((await machine.app.db.read([(await import("../db/shops.ts")).readTables(shop)]))[0]?.[0]?.token);
  }

  async function http(
    method: string,
    path: string,
    { token, body, raw, headers = {} }: HttpOptions = {},
  ): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      // A redirect is an answer: it is held against openapi.yaml.
      redirect: "manual",
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined && raw === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(raw !== undefined ? { body: raw as never } : body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "");
    const answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: json && text !== "" ? JSON.parse(text) : undefined,
    };
    for (const witness of witnesses) witness(method, path, answer);
    return answer;
  }

  function person({ status, text, body }: Answer): Person {
    if (status >= 400) throw new Error(`nobody signed in: ${status} ${text}`);
    const begun = body as { session: { id: string; token: string }; user: { id: string } };
    const { token } = begun.session;
    const own: Person["http"] = (method, path, more) => http(method, path, { token, ...more });
    const ticket = async () => (await own("POST", "/session/ticket")).body.ticket as string;
    return {
      token,
      session: begun.session.id,
      user: begun.user.id,
      http: own,
      order: (bill = {}, key = newKey()) =>
        own("POST", "/bill", { body: { shop, ...oneBowl, ...bill }, headers: { "idempotency-key": key } }),
      ticket,
      connect: async () =>
        openSocket(`${url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${await ticket()}`]),
    };
  }

  const house: House = {
    get app() {
      return machine.app;
    },
    get server() {
      return machine.server;
    },
    call: (name, event) => machine.call(name, event),
    stop: () => machine.stop(),
    db,
    clock,
    url,
    shop,
    table,
    lines,
    http,
    guest: async () => person(await http("POST", "/login/guest")),
    async staff(role = "kitchen", at = shop) {
      const { code } = await newPairingCode(machine.app, { shop: at, role, device: "tablet", by: null });
      return person(await http("POST", "/login/staff", { body: { pairingCode: code } }));
    },
    async restart() {
      await machine.stop();
      machine = await start(port);
    },
    async close() {
      await machine.stop();
      if (options.db === undefined) await db.remove();
      // Background work fails without a caller; so do unforeseen errors.
      const failures = lines.filter(
        (line) => line.includes('"event":"background"') || line.includes('"code":"INTERNAL"'),
      );
      if (failures.length > 0 && options.mayFail !== true)
        throw new Error(`something failed unseen: ${failures.slice(0, 3).join("")}`);
    },
  };
  return house;
}

// --- Sockets -------------------------------------------------------------------------------------------------------

/** A socket whose frames wait until they are asked for: no sleeping, none missed. */
export interface TestSocket {
  readonly socket: WebSocket;
  /** The frames that have come and were not taken. */
  readonly frames: ServerMessage[];
  send(message: object | string): void;
  /** Sends a message with the next number and gives the number back. */
  say(message: object): number;
  /** The next frame that fits, taken out; frames before it stay. */
  next<T extends ServerMessage["type"]>(
    type: T,
    fits?: (message: Extract<ServerMessage, { type: T }>) => boolean,
  ): Promise<Extract<ServerMessage, { type: T }>>;
  /** Resumes one stream and gives the answer. */
  resume(ask: StreamRequest): Promise<Extract<ServerMessage, { type: "resumed" | "reset" | "error" }>>;
  readonly closed: Promise<number>;
  close(): void;
}

const timeoutMs = 15_000;

export async function openSocket(
  url: string,
  protocols: string[],
  headers: Record<string, string> = {},
): Promise<TestSocket> {
  const socket = new WebSocket(url, protocols, { headers });
  const frames: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data) => {
    frames.push(JSON.parse(data.toString()));
    for (const look of [...waiting]) look();
  });
  const closed = new Promise<number>((resolve) =>
    socket.on("close", (code) => {
      resolve(code);
      for (const look of [...waiting]) look();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (_, response) => reject(new Refused(response.statusCode ?? 0)));
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  let n = 0;

  function take<T>(fits: (message: ServerMessage) => boolean, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = frames.findIndex(fits);
        if (at >= 0) done(() => resolve(frames.splice(at, 1)[0] as T));
        else if (socket.readyState === WebSocket.CLOSED)
          done(() => reject(new Error(`the socket closed before ${what}; there were ${JSON.stringify(frames)}`)));
      };
      const timer = setTimeout(
        () => done(() => reject(new Error(`no ${what} came; there were ${JSON.stringify(frames)}`))),
        timeoutMs,
      );
      const done = (then: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        then();
      };
      waiting.add(look);
      look();
    });
  }

  const own: TestSocket = {
    socket,
    frames,
    closed,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    say(message) {
      n += 1;
      own.send({ n, ...message });
      return n;
    },
    next: (type, fits = () => true) => take((message) => message.type === type && fits(message as never), `"${type}"`),
    resume(ask) {
      const mine = own.say({ type: "resume", streams: [ask] });
      return take(
        (message) => ["resumed", "reset", "error"].includes(message.type) && "n" in message && message.n === mine,
        "answer to resume",
      );
    },
    close: () => socket.close(),
  };
  return own;
}

/** The upgrade was refused with this status. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

/** The orders in the events of a stream, as a screen would show them: by id, the highest version. */
export function shown(frames: readonly ServerMessage[]): Map<string, OrderView> {
  const orders = new Map<string, OrderView>();
  for (const frame of frames) {
    const events = frame.type === "event" ? [frame] : frame.type === "resumed" ? frame.events : [];
    for (const { event, data } of events) {
      if (!event.startsWith("order.")) continue;
      const { order } = data as { order: OrderView };
      if ((orders.get(order.id)?.version ?? 0) < order.version) orders.set(order.id, order);
    }
  }
  return orders;
}

/** Request bodies: openapi.yaml and the code must judge alike. Each example is spoiled in many small ways. */
import type { AxiosInstance } from "axios";
import { type Json, type Operation, readApi, readOpenapi } from "../../scripts/read_api.ts";
import { partBytes } from "../../shared/file_store.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { dropTable, tablesOf } from "../../shared/shop/tables.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { isForCloudbase, isForWafer } from "../_contract.ts";
import { anyEngine } from "../_engines.ts";
import { type Answer, type House, newKey, openHouse, type Person } from "../_house.ts";

const api = readApi(readOpenapi());
const withBody = api.operations.filter(
  (one) => "application/json" in one.body && !isForWafer(one) && !isForCloudbase(one),
);
const schemaOf = ({ body }: Operation) => body["application/json"]?.schema ?? true;

/** Every number that limits something in the schema, so that what lies just inside and just outside is tried. */
interface Limits {
  readonly numbers: Set<number>;
  readonly lengths: Set<number>;
  readonly counts: Set<number>;
}

function limitsOf(schema: Json): Limits {
  const limits: Limits = { numbers: new Set(), lengths: new Set(), counts: new Set() };
  const seen = new Set<Json>();
  const add = (to: Set<number>, ...found: (Json | undefined)[]) => {
    for (const one of found) if (typeof one === "number") to.add(one);
  };
  function visit(node: Json): void {
    if (node === null || typeof node !== "object" || seen.has(node)) return;
    seen.add(node);
    for (const part of Object.values(node)) visit(part);
    if (Array.isArray(node)) return;
    if (typeof node.$ref === "string") visit(api.follow(node));
    add(limits.numbers, node.minimum, node.maximum);
    add(limits.counts, node.minItems, node.maxItems);
    add(limits.lengths, node.minLength, node.maxLength);
    for (const [, least, most] of String(node.pattern ?? "").matchAll(/\{(\d+)(?:,(\d+))?\}/g))
      add(limits.lengths, Number(least), Number(most ?? least));
  }
  visit(schema);
  return limits;
}

const longest = 1_000;
const around = (limits: ReadonlySet<number>) =>
  [...limits].filter((limit) => limit > 0 && limit <= longest).flatMap((limit) => [limit, limit + 1]);

/** What could stand in the place of the value. */
function othersThan(value: Json, { numbers, lengths, counts }: Limits): Json[] {
  if (typeof value === "number") return [...numbers].flatMap((limit) => [limit - 1, limit, limit + 1]).concat(1.5);
  if (typeof value === "boolean") return ["true", 0, null];
  if (typeof value === "string") {
    const odd = ["", " ", "\u0000", "\u202E", "\uD800", "!", "a b", "中", 5, null, []];
    return [...around(lengths).flatMap((length) => ["x".repeat(length), "😀".repeat(length)]), ...odd];
  }
  if (Array.isArray(value)) {
    const [first = null] = value;
    return [[], {}, null, ...around(counts).map((length) => Array.from({ length }, () => first))];
  }
  if (value === null) return [5, "", {}];
  const without = Object.keys(value).map((name) => {
    const { [name]: _, ...rest } = value;
    return rest;
  });
  return [null, [], { ...value, nonsense: 1 }, ...without];
}

/** The whole with one place changed, for each place and each change. */
function* spoiled(value: Json, limits: Limits): Generator<Json> {
  yield* othersThan(value, limits);
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    const [first, ...rest] = value;
    if (first !== undefined) for (const other of spoiled(first, limits)) yield [other, ...rest];
  } else
    for (const [name, part] of Object.entries(value))
      for (const other of spoiled(part, limits)) yield { ...value, [name]: other };
}

describe("a request body", () => {
  let house: House;
  let owner: Person;
  let customer: Person;
  /** Another back end's. */
  let apiKey: string;
  const at: Record<string, string> = { shop: "noodle-house", dish: "bun", line: "1", action: "accept" };

  beforeAll(async () => {
    house = await openHouse(anyEngine, {
      environment: { GUEST_SESSIONS_PER_HOUR: "1000", EXAMPLES: "on" },
      // Every code is an unknown one.
      wechat: makeWechat({ get: async () => ({ data: { errcode: 40029 } }) } as unknown as AxiosInstance),
    });
    await addWechatApp(house.app, { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" });
    for (const { token } of await tablesOf(house.app, house.shop)) await dropTable(house.app, null, house.shop, token);
    [owner, customer] = await Promise.all([house.staff("owner"), house.guest()]);
    at.id = (await customer.order()).body.order.id;
    at.room = (await customer.http("POST", "/rooms")).body.room.id;
    at.game = (await customer.http("POST", "/games")).body.game.id;
    const twoParts = { purpose: "file", name: "a.mp4", type: "video/mp4", bytes: 2 * partBytes, by: "parts" };
    at.file = (await customer.http("POST", "/files", { body: twoParts })).body.file.id;
    apiKey = (await newApiKey(house.app, "news", ["publish"], null)).key;
  });
  afterAll(() => house.close());

  function send({ method, path, key }: Operation, body: Json) {
    const there: Record<string, string | undefined> = path.startsWith("/files") ? { ...at, id: at.file } : at;
    const url = path.replace(/\{(\w+)\}/g, (_, name) => there[name] ?? "");
    const token = /^\/(shops|notify|orders)/.test(path)
      ? owner.token
      : path.endsWith("/messages")
        ? apiKey
        : customer.token;
    const headers = { ...(/bill|notify/.test(path) ? { "idempotency-key": newKey() } : {}), ...ifMatch(key) };
    return house.http(method, url, { token, body, headers });
  }

  const ifMatch = (key: string): Record<string, string> =>
    key.endsWith("/stock") && key.startsWith("PUT") ? { "if-match": '"0.0"' } : {};

  /** Valid by the schema, and refused for another reason. */
  const beyond: Readonly<Record<string, (body: Json) => boolean>> = {
    "PUT /shops/{shop}/dishes/{dish}": (body) => (body as { id?: Json }).id !== at.dish,
    // Counted as JavaScript counts, where a schema counts characters.
    "POST /login/staff": (body) => JSON.stringify(body).includes("😀"),
    // Counted in bytes, where a schema counts characters.
    "POST /files": (body) => Buffer.byteLength(JSON.stringify((body as { about?: Json }).about ?? {})) > 1_024,
    // How many parts there are is the file's.
    "POST /files/{id}/parts": (body) => (body as { parts: number[] }).parts.some((part) => part > 2),
    // Which action it is stands in the path.
    "POST /orders/{id}/{action}": (body) => "station" in (body as object),
    // No two tables have one label.
    "POST /shops/{shop}/tables": (body) => {
      const { labels } = body as { labels: string[] };
      return new Set(labels.map((label) => label.trim())).size < labels.length;
    },
  };

  /** Makes room for the next. */
  const after: Readonly<Record<string, (answer: Answer) => Promise<void>>> = {
    "POST /shops/{shop}/tables": async ({ body }) => {
      for (const { token } of body.tables) await owner.http("DELETE", `/shops/${at.shop}/tables/${token}`);
    },
  };

  it.each(withBody.map((operation) => [operation.key, operation] as const))(
    "is judged alike by openapi.yaml and the function: %s",
    async (key, operation) => {
      const schema = schemaOf(operation);
      const limits = limitsOf(schema);
      const verdicts = new Set<boolean>();
      const quarrels: string[] = [];
      for (const [, example] of operation.body["application/json"]?.examples ?? [])
        for (const body of [example, ...spoiled(example, limits)]) {
          const fault = api.fault(schema, body);
          if (fault === undefined && beyond[key]?.(body) === true) continue;
          const answer = await send(operation, body);
          const { code, detail } = answer.body;
          const taken = code !== "INVALID_INPUT";
          verdicts.add(taken);
          if (taken) await after[key]?.(answer);
          if ((fault === undefined) !== taken)
            quarrels.push(
              `${JSON.stringify(body).slice(0, 300)}: ${fault ?? "fits"}; answered ${answer.status} ${detail}`,
            );
        }
      expect(quarrels.slice(0, 10)).toEqual([]);
      expect(verdicts).toEqual(new Set([true, false]));
    },
  );
});

/** Invalid requests to every route, derived from openapi.yaml: a clear 4xx with its code, and nothing is written. */
import type { Json, Operation, Parameter } from "../../scripts/read_api.ts";
import { maxFormBytes } from "../../shared/large_bodies.ts";
import type { Menu } from "../../shared/menu.ts";
import { addTables } from "../../shared/shop/tables.ts";
import { isForWafer } from "../_contract.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { newKey, oneBowl, testMenu } from "../_house.ts";
import {
  api,
  digest,
  everything,
  formType,
  isServed,
  newShop,
  openScene,
  quiet,
  type Right,
  readsNothing,
  refusalIn,
  rightRequest,
  type Scene,
  send,
  operations as served,
} from "./_scene.ts";
import { memberPlaces, spoil, textOf, textPlaces } from "./_spoil.ts";

/** An answer to HEAD has no body to say why; the same function answers GET. */
const isTried = (one: Operation) => !isForWafer(one) && one.method !== "HEAD";
const operations = served.filter(isTried);
const jsonOf = ({ body }: Operation) => body["application/json"];
/** Of CloudBase's clients: any bytes, or a form with them. */
const isBytes = ({ path }: Operation) => path === "/v1/storages/objects/{ticket}";
const isForm = ({ body }: Operation) => "application/x-www-form-urlencoded" in body;

/** A request that must be refused, and with what. */
interface Attack {
  readonly what: string;
  readonly right: Right;
  readonly refusals: readonly string[];
}

const invalid = ["400 INVALID_INPUT"];

// --- Bodies --------------------------------------------------------------------------------------------------------

function* spoiledBodies(scene: Scene, to: Operation): Generator<Attack> {
  const { schema = true, examples = [] } = jsonOf(to) ?? {};
  for (const at of examples.keys()) {
    const right = rightRequest(scene, to, at);
    for (const { place, value } of spoil(schema, right.body as Json)) {
      const raw = textOf(value);
      if (api.fault(schema, JSON.parse(raw)) === undefined) continue;
      yield { what: `body${place} in ${raw.slice(0, 200)}`, right: { ...right, raw }, refusals: invalid };
    }
  }
}

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const noJson = [
  "{",
  "nul",
  "[1,",
  '{"a":1}}',
  "{'a':1}",
  "{}{}",
  "NaN",
  "-Infinity",
  "undefined",
  "a=b",
  "<a/>",
  "\u0000",
];
const noUtf8 = [
  [0xff],
  [0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0x7b, 0x00, 0x7d, 0x00],
];
const otherTypes = [
  "text/plain",
  "text/json",
  "application/xml",
  "application/jsonp",
  "multipart/form-data; boundary=x",
  "",
];

function* tooLarge(scene: Scene, to: Operation): Generator<Attack> {
  const right = rightRequest(scene, to);
  yield { what: "huge", right: { ...right, raw: "x".repeat(maxFormBytes + 1) }, refusals: ["413 bare"] };
  if (to.method === "PUT") return;
  for (const raw of ["", "x", "--line--", `--line\r\n\r\nhello\r\n--line--\r\n`])
    yield { what: raw, right: { ...right, raw }, refusals: invalid };
}

function* brokenBodies(scene: Scene, to: Operation): Generator<Attack> {
  const right = rightRequest(scene, to);
  const media = Object.keys(to.body)[0];
  if (media === undefined) return;
  if (isBytes(to)) return void (yield* tooLarge(scene, to));
  const raw = right.raw ?? textOf(right.body as Json);
  const attack = (what: string, more: Partial<Right>, ...refusals: string[]): Attack => ({
    what,
    right: { ...right, ...more },
    refusals,
  });
  // A client of CloudBase's sends its sign-in without a type.
  const types = to.path.startsWith("/auth/v1/") ? [] : otherTypes;
  for (const type of types.length === 0 ? [] : [...types, isForm(to) ? "application/json" : formType["content-type"]])
    yield attack(
      `type "${type}"`,
      { raw, headers: { ...right.headers, "content-type": type } },
      "415 MEDIA_TYPE_UNSUPPORTED",
    );
  yield attack("huge", { raw: "x".repeat(512 * 1_024 + 1) }, "413 BODY_TOO_LARGE");
  yield attack("huge text", { raw: `{"note":"${"x".repeat(512 * 1_024)}"}` }, "413 BODY_TOO_LARGE");
  if (isForm(to)) {
    for (const text of ["", "token=", "token", "other=1", "%00", "=token"])
      yield attack(text, { raw: text }, ...invalid);
    for (const bytes of noUtf8.slice(0, 4))
      yield attack(`bytes ${bytes}`, { raw: Uint8Array.from(bytes) }, "400 MALFORMED");
    return;
  }
  for (const text of noJson) yield attack(text, { raw: text }, "400 MALFORMED");
  for (const bytes of noUtf8) yield attack(`bytes ${bytes}`, { raw: Uint8Array.from(bytes) }, "400 MALFORMED");
  // Bodies are read before a route is known: what is only long is tried on one.
  const longest = to.key === "POST /bill" ? [deep(100_000), deepObject(50_000), "[".repeat(200_000)] : [];
  for (const text of [deep(33), deepObject(33), deep(1_000), ...longest])
    yield attack(`${text.length} deep`, { raw: text }, "400 MALFORMED");
  const [whole = true] = [jsonOf(to)?.schema];
  for (const text of ["", "null", "true", "0", '""', "[]", `[${raw}]`, JSON.stringify(raw), deepObject(32)])
    if (api.fault(whole, text === "" ? {} : JSON.parse(text)) !== undefined)
      yield attack(`whole ${text.slice(0, 80)}`, { raw: text }, ...invalid);
}

// --- Parameters ----------------------------------------------------------------------------------------------------

const sqlText = "x'; DROP TABLE orders; --";
const strings = [
  "",
  " ",
  "a b",
  "中",
  "é",
  "\u0000",
  "\u202E",
  sqlText,
  "1 OR 1=1",
  "<script>alert(1)</script>",
  "{{7*7}}",
  "../orders",
  "..\\orders",
  "%",
  "null",
  "-1",
  "0",
  "0.5",
  "1e3",
  "NaN",
  "41",
  "0x10",
  "99999999999999999999",
  "a,b",
  ",",
  "2026-13-45",
  "x".repeat(41),
  "x".repeat(65),
  "x".repeat(6_000),
];

/** As the schema sees what stands in a path, a query or a header. */
function read({ schema }: Parameter, text: string): Json {
  const { type } = api.follow(schema);
  if (type === "integer") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return type === "array" ? text.split(",") : text;
}

function* spoiledParameters(scene: Scene, to: Operation): Generator<Attack> {
  const right = rightRequest(scene, to);
  for (const parameter of to.parameters) {
    const { name, in: where, required } = parameter;
    if (required && where !== "path")
      yield {
        what: `no ${name}`,
        right: without(right, where, name),
        refusals: [...invalid, "400 IDEMPOTENCY_KEY_MISSING"],
      };
    for (const text of strings) {
      if (api.fault(parameter.schema, read(parameter, text)) === undefined) continue;
      if (where === "header" && !/^[\x21-\x7e][\x20-\x7e\xa0-\xff]*$/.test(text)) continue;
      // Refused while it is decoded.
      if (name === "X-WX-Raw-Data") {
        yield {
          what: `${name} = ${text}`,
          right: withValue(right, where, name, text),
          refusals: [...invalid, "400 MALFORMED"],
        };
        continue;
      }
      const refusals = where === "path" ? [...invalid, "400 bare", "404 ROUTE_UNKNOWN"] : invalid;
      yield { what: `${where} ${name} = ${text.slice(0, 60)}`, right: withValue(right, where, name, text), refusals };
    }
  }
}

function withValue(right: Right, where: string, name: string, text: string): Right {
  if (where === "header") return { ...right, headers: { ...right.headers, [name.toLowerCase()]: text } };
  return where === "path"
    ? { ...right, path: { ...right.path, [name]: text } }
    : { ...right, query: { ...right.query, [name]: text } };
}

function without(right: Right, where: string, name: string): Right {
  const left = (from: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(from).filter(([one]) => one !== name.toLowerCase()));
  return where === "header" ? { ...right, headers: left(right.headers) } : { ...right, query: left(right.query) };
}

// --- Methods and tokens ----------------------------------------------------------------------------------------------

const methods = ["GET", "POST", "PUT", "DELETE", "PATCH"];

function* otherMethods(scene: Scene, to: Operation): Generator<Attack> {
  const taken = served.filter(({ path }) => path === to.path).map(({ method }) => method);
  const { body, raw, ...right } = rightRequest(scene, to);
  for (const method of methods.filter((one) => !taken.includes(one))) {
    const content =
      method === "GET" ? {} : { ...(body === undefined ? {} : { body }), ...(raw === undefined ? {} : { raw }) };
    // `remove` and `aggregations` stand where a document's id does; `parts` and `complete` where a file's name does.
    const isDocument = /documents\/[a-z]+$/.test(to.path) ? ["404 DOCUMENT_UNKNOWN"] : [];
    const isFile = /^\/files\/\{id\}\/[a-z]+$/.test(to.path) ? ["404 FILE_UNKNOWN"] : [];
    const refusals = ["404 ROUTE_UNKNOWN", ...isDocument, ...isFile];
    yield { what: method, right: { ...right, ...content, method }, refusals };
  }
  if (!taken.includes("HEAD")) yield { what: "HEAD", right: { ...right, method: "HEAD" }, refusals: ["404 bare"] };
}

const noTokens = ["", "x", sqlText, "obg_", `obg_${"0".repeat(52)}${"x".repeat(32)}`, "null", "x".repeat(6_000), "é"];

function* badTokens(scene: Scene, to: Operation): Generator<Attack> {
  const { token, ...right } = rightRequest(scene, to);
  if (token === undefined) return;
  // A visitor of collections has rights too, if not to these.
  const asVisitor = /^\/(web|v1)\b/.test(to.path) ? ["403 FORBIDDEN", "422 NOT_SUPPORTED"] : [];
  const asStranger = to.key === "GET /files/{id}" ? ["404 FILE_UNKNOWN"] : [];
  const refusals = ["401 SESSION_MISSING", "401 SESSION_INVALID", "401 API_KEY_INVALID", ...asVisitor, ...asStranger];
  const forged = `${token.slice(0, -4)}${token.endsWith("AAAA") ? "BBBB" : "AAAA"}`;
  const of = (authorization: string): Attack => ({
    what: `authorization ${authorization.slice(0, 60)}`,
    right: { ...right, headers: { ...right.headers, authorization } },
    refusals,
  });
  yield { what: "no authorization", right, refusals };
  for (const text of [...noTokens, forged, token.toUpperCase(), `${token} ${token}`]) yield of(`Bearer ${text}`);
  for (const scheme of ["Basic", "", "Bearer,"]) yield of(`${scheme} ${token}`);
}

const kinds = { spoiledBodies, brokenBodies, spoiledParameters, otherMethods, badTokens };
const attacksOn = (scene: Scene, to: Operation) => Object.values(kinds).flatMap((kind) => [...kind(scene, to)]);

describe("bad input", () => {
  let scene: Scene;
  const attacked = new Map<string, number>();
  beforeAll(async () => {
    scene = await openScene(anyEngine);
  });
  afterAll(() => scene.close());

  it.each(operations.map((to) => [to.key, to] as const))(
    "is refused by %s, and nothing is written",
    async (key, to) => {
      const { house } = scene;
      const attacks = attacksOn(scene, to);
      attacked.set(key, attacks.length);
      const before = await digest(house.db);
      const wrong: string[] = [];
      for (const { what, right, refusals } of attacks) {
        const refusal = refusalIn(await send(scene, to, right));
        if (!refusals.includes(refusal)) wrong.push(`${what}: ${refusal}`);
      }
      expect(wrong.slice(0, 20)).toEqual([]);
      if (String(await digest(house.db)) !== String(before))
        expect(await culprits(to, attacks)).toEqual("nothing is written");
    },
  );

  /** Once more, one by one, to find the one that writes. */
  async function culprits(to: Operation, attacks: readonly Attack[]): Promise<string[]> {
    const found: string[] = [];
    for (const { what, right } of attacks) {
      const before = await digest(scene.house.db);
      await send(scene, to, right);
      const after = await digest(scene.house.db);
      if (String(after) !== String(before)) found.push(`${what}: ${after.filter((line) => !before.includes(line))}`);
    }
    return found;
  }

  it("was tried on every route, and in every member of every body", () => {
    expect([...attacked.keys(), readsNothing].toSorted()).toEqual(
      api.operations
        .filter(isTried)
        .map(({ key }) => key)
        .toSorted(),
    );
    for (const to of operations) {
      const places = new Set([...spoiledBodies(scene, to)].map(({ what }) => /^body(\S*) in /.exec(what)?.[1]));
      const forgotten = [...memberPlaces(jsonOf(to)?.schema ?? true)].filter((place) => !places.has(place));
      expect([to.key, forgotten]).toEqual([to.key, []]);
    }
    const total = [...attacked.values()].reduce((sum, one) => sum + one, 0);
    expect(Math.min(...attacked.values())).toBeGreaterThan(4);
    expect(total).toBeGreaterThan(5_000);
  });

  it("is distinguished from good input: the valid request of every route is answered with success", async () => {
    const once = /DELETE|PUT .*stock|login\/staff|signout|\/(commit|rollback|commands|copy-objects)$/;
    for (const to of operations.filter(({ key }) => !once.test(key))) {
      const answer = await send(scene, to, rightRequest(scene, to));
      expect([to.key, isServed(answer) ? "" : answer.text]).toEqual([to.key, ""]);
    }
  });
});

// --- Texts -----------------------------------------------------------------------------------------------------------

/** Short, so that they fit wherever a text does. */
const hostile = ["=1');DROP TABLE a;--", "\\'\"%_`{{1}}", '<b x="$gt">&lt;', "👩‍👩‍👧é中\u200d"];

/** Every text in a value; and where a text is JSON itself, every text in that. */
function* leavesOf(value: unknown): Generator<string> {
  if (typeof value === "string") {
    yield value;
    if (/^[[{]/.test(value)) yield* leavesOf(parsed(value));
  } else if (value !== null && typeof value === "object")
    for (const part of Object.values(value)) yield* leavesOf(part);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

onEveryDialect((engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(engine);
  });
  afterAll(() => scene.close());

  it("in forged bills is refused with a code of its own, and writes nothing", async () => {
    const { house, customer, at } = scene;
    await newShop(house, "dear", dearMenu);
    const elsewhere = (await addTables(house.app, null, "next-door", ["1"]))[0]?.token;
    await quiet(house);
    const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    const [bowl] = oneBowl.lines as [(typeof oneBowl.lines)[0]];
    const bowls = (more: object) => ({ lines: [{ ...bowl, ...more }] });
    const forged: readonly (readonly [object, string])[] = [
      [{ totalFen: 1 }, "400 INVALID_INPUT"],
      [{ itemsFen: 0, deliveryFen: 0 }, "400 INVALID_INPUT"],
      [bowls({ unitFen: 1 }), "400 INVALID_INPUT"],
      [bowls({ priceFen: 0 }), "400 INVALID_INPUT"],
      [bowls({ quantity: 0 }), "400 INVALID_INPUT"],
      [bowls({ quantity: -1 }), "400 INVALID_INPUT"],
      [bowls({ quantity: 0.5 }), "400 INVALID_INPUT"],
      [bowls({ quantity: 100 }), "400 INVALID_INPUT"],
      [bowls({ quantity: "1" }), "400 INVALID_INPUT"],
      [bowls({ dish: "off" }), "409 DISH_UNAVAILABLE"],
      [bowls({ dish: "__proto__" }), "409 DISH_UNAVAILABLE"],
      [bowls({ options: [{ option: "spice", choices: ["mild"], priceFen: -2_800 }] }), "400 INVALID_INPUT"],
      [bowls({ options: [{ option: "spice", choices: ["mild", "mild"] }] }), "422 OPTIONS_INVALID"],
      [bowls({ options: [{ option: "spice", choices: ["egg"] }] }), "422 OPTIONS_INVALID"],
      [bowls({ options: [{ option: "constructor", choices: ["name"] }] }), "422 OPTIONS_INVALID"],
      [
        {
          lines: [
            { dish: "bun", quantity: 30 },
            { dish: "bun", quantity: 30 },
          ],
        },
        "409 SOLD_OUT",
      ],
      [{ expectedTotalFen: 1 }, "409 PRICE_CHANGED"],
      [{ expectedTotalFen: -2_900 }, "400 INVALID_INPUT"],
      [{ shop: "dear", lines: [{ dish: "gold", quantity: 2 }] }, "422 ORDER_TOO_LARGE"],
      [
        { shop: "dear", lines: Array.from({ length: 40 }, () => ({ dish: "gold", quantity: 99 })) },
        "422 ORDER_TOO_LARGE",
      ],
      [{ service: "delivery" }, "400 INVALID_INPUT"],
      [{ delivery }, "400 INVALID_INPUT"],
      [{ service: "delivery", delivery, lines: [{ dish: "tea", quantity: 1 }] }, "422 BELOW_MINIMUM"],
      [{ service: "delivery", delivery: { ...delivery, feeFen: 0 } }, "400 INVALID_INPUT"],
      [{ service: "table" }, "400 INVALID_INPUT"],
      [{ service: "table", table: elsewhere }, "404 TABLE_UNKNOWN"],
      [{ shop: "dear", service: "table", table: at.table }, "404 TABLE_UNKNOWN"],
      [{ shop: "nowhere" }, "404 SHOP_UNKNOWN"],
      [{ user: scene.other.user }, "400 INVALID_INPUT"],
      [{ status: "accepted", payment: "paid" }, "400 INVALID_INPUT"],
    ];
    const before = await digest(house.db);
    const key = newKey();
    for (const [bill, refusal] of forged)
      expect([bill, refusalIn(await customer.order(bill, key))]).toEqual([bill, refusal]);
    expect(await digest(house.db)).toEqual(before);
    // Not even the key was used up.
    expect((await customer.order({}, key)).status).toBe(201);
    await quiet(house);
  });

  const newOrder = async () => (await scene.customer.order()).body.order.id as string;

  it("such as SQL and markup is stored as it was typed, or refused, wherever a text may stand", async () => {
    const { db } = scene.house;
    const stored: string[] = [];
    const answers = new Set<string>();
    const wrong: string[] = [];
    let count = 0;
    let taken = 0;
    for (const to of operations.filter((one) => jsonOf(one) !== undefined))
      for (const at of (jsonOf(to)?.examples ?? []).keys())
        for (const { place, put } of textPlaces(jsonOf(to)?.schema ?? true, rightRequest(scene, to, at).body as Json))
          for (const text of hostile) {
            count += 1;
            const typed = `${text}${count}`;
            const right = rightRequest(scene, to, at);
            // A step that was taken is not taken again, and its reason stays.
            const path = to.key.startsWith("POST /orders") ? { ...right.path, id: await newOrder() } : right.path;
            // A message that was stored is not stored again.
            const asked = put(typed);
            const body =
              to.key.endsWith("/messages") && place !== ".id" ? { ...(asked as object), id: newKey() } : asked;
            const answer = await send(scene, to, { ...right, path, body: body as Json });
            if (answer.status >= 500) wrong.push(`${to.key} ${place}: ${answer.status}`);
            // A token that is revoked is nowhere afterwards, whether it was one or not.
            if (!isServed(answer) || to.key.endsWith("/revoke")) continue;
            answers.add(to.key);
            taken += 1;
            // What the answer repeats is seen there; the rest is looked for in the database.
            if (![...leavesOf(answer.body)].includes(typed)) stored.push(typed);
          }
    expect(wrong).toEqual([]);
    const all = await everything(db);
    const kept = new Set(leavesOf([...all.values()]));
    expect(stored.filter((typed) => !kept.has(typed))).toEqual([]);
    expect([count > 200, taken > 100, stored.length > 20, answers.size > 5]).toEqual([true, true, true, true]);
    await quiet(scene.house);
  });
});

const dearMenu: Menu = {
  categories: [{ id: "all", names: { zh: "全部" } }],
  dishes: [{ ...(testMenu.dishes[2] as Menu["dishes"][number]), id: "gold", category: "all", priceFen: 99_999_999 }],
};

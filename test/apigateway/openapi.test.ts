/** openapi.yaml is valid, names the codes and events of the code, and refuses undeclared answers. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { codesIn } from "../../scripts/openapi_document.ts";
import { type Json, readOpenapi } from "../../scripts/read_api.ts";
import { codes } from "../../shared/errors.ts";
import { actions, roles, services, statuses } from "../../shared/order_states.ts";
import { eventTypes } from "../../shared/protocol.ts";
import { ContractBroken, readLaw, witness } from "../_contract.ts";
import { anyEngine } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person } from "../_house.ts";

const { api } = readLaw();

describe("check_api", () => {
  const serverless = readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8");
  let folder: string;
  /** What is found in each text with a mistake, by one process. */
  let found: string[][];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "orderbell-api-"));
    const file = join(folder, "texts.json");
    const texts = mistakes.map(([, what, instead]) => ({ openapi: plant(readOpenapi(), [what, instead]) }));
    await writeFile(file, JSON.stringify(texts));
    found = JSON.parse((await run("_check_api.ts", file)).stdout);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The linter is an ES module, which jest cannot load. */
  const run = (script: string, ...args: string[]) =>
    promisify(execFile)(process.execPath, ["--import", "tsx", new URL(script, import.meta.url).pathname, ...args], {
      env: { ...process.env, NODE_OPTIONS: "" },
    }).then(
      (done) => ({ code: 0, stdout: done.stdout }),
      (failed) => failed as { code: number; stdout: string },
    );

  /** Runs the script as people do. */
  async function check(name: string, texts: { openapi?: string; serverless?: string }) {
    const files = [join(folder, `${name}.yaml`), join(folder, `${name}.yml`)] as const;
    await writeFile(files[0], texts.openapi ?? readOpenapi());
    await writeFile(files[1], texts.serverless ?? serverless);
    const { code, stdout } = await run("../../scripts/check_api.ts", ...files);
    return { code, problems: stdout.split("\n").filter((line) => line !== "") };
  }

  /** A mistake whose place is gone would prove nothing. */
  function plant(text: string, [what, instead]: readonly [string, string]): string {
    expect(text).toContain(what);
    return text.replace(what, () => instead);
  }

  it("finds nothing wrong in the project", async () => {
    expect(await check("clean", {})).toEqual({ code: 0, problems: [] });
  });

  const mistakes: [string, string, string, string][] = [
    [
      "a route that is not served",
      "  /login/staff:\n",
      "  /login/boss:\n",
      'route "POST /login/boss" is not in serverless',
    ],
    [
      "an unknown code",
      "    MALFORMED:\n",
      "    PAIRING_CODE_WRONG: { type: object, additionalProperties: false }\n    MALFORMED:\n",
      'code "PAIRING_CODE_WRONG" is not in shared',
    ],
    [
      "a code without a schema",
      "    TICKET_INVALID:\n",
      "    Ticket:\n",
      'code "TICKET_INVALID" of shared/errors.ts has no',
    ],
    ["an error's status", "status: { type: integer, const: 426 }", "status: { const: 400 }", '"status" is not 426'],
    [
      "an error without advice",
      "      x-do: Send less, or an address of it.\n",
      "",
      'EVENT_TOO_LARGE: "x-do" is missing',
    ],
    [
      "a code under another status",
      'schema: { $ref: "#/components/schemas/PAIRING_CODE_INVALID" }',
      'schema: { $ref: "#/components/schemas/SHOP_CLOSED" }',
      "POST /login/staff, 401: SHOP_CLOSED has another status",
    ],
    [
      "errors that nothing tells apart",
      "              schema:\n                discriminator: { propertyName: code }\n",
      "              schema:\n",
      "a oneOf of them with a discriminator",
    ],
    [
      "an error without its schema",
      'schema: { $ref: "#/components/schemas/PAIRING_CODE_INVALID" }',
      'schema: { $ref: "#/components/schemas/Problem", unevaluatedProperties: false }',
      "an error is a reference to its code's schema",
    ],
    [
      "a list of any length",
      "devices: { type: array, maxItems: 500,",
      "devices: { type: array,",
      "devices is a list of any length",
    ],
    [
      "a list without a limit",
      "schema: { type: integer, minimum: 1, maximum: 500, default: 500 }",
      "schema: { type: integer }",
      'GET /shops/{shop}/devices: "more" without a "limit"',
    ],
    ["a pattern that languages read differently", "^[0-9]{16}$", "^\\\\d{16}$", "the pattern ^\\d{16}$ has more than"],
    [
      "a request's example",
      "{ role: kitchen, device:",
      "{ role: chef, device:",
      'example "tablet" does not fit: body/role',
    ],
    ["an answer's example", "status: ok, connections: 3", "status: ok, connections: -3", 'example "ok" does not fit'],
    [
      "a parameter's example",
      "example: wx0123456789abcdef",
      "example: wx 0",
      'parameter "X-WX-Appid": the example does not',
    ],
    [
      "a missing example",
      "counted: { value: { left: 40 } }",
      "{}",
      "PUT /shops/{shop}/dishes/{dish}/stock, request application/json: there is no example",
    ],
    [
      "an answer left open",
      "      additionalProperties: false\n      required: [message]",
      "      required: [message]",
      "Bare: an object is left open",
    ],
    ["what the linter sees", "operationId: showSession", "operationId: endSession", "operation-operationId-unique"],
    ["what is no OpenAPI", "openapi: 3.1.0\ninfo:", "openapi: 3.1.0\ninformation:", "struct"],
  ];
  it.each(mistakes.map(([name, , , problem], at) => [name, at, problem] as const))("finds %s", (_, at, problem) => {
    expect(found[at]).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });

  it("finds a route that was added to serverless.yml alone", async () => {
    const route = "      - httpApi: POST /bill\n";
    const added = plant(serverless, [route, `${route}      - httpApi: GET /bills\n`]);
    const problems = ['route "GET /bills" is not in openapi.yaml'];
    expect(await check("added", { serverless: added })).toEqual({ code: 1, problems });
  });
});

describe("the codes and events of openapi.yaml", () => {
  const enumOf = (name: string) => api.follow({ $ref: `schema:${name}` }).enum as string[];

  it("are those of the code", () => {
    expect(enumOf("Status")).toEqual(statuses);
    expect(enumOf("Service")).toEqual(services);
    expect(enumOf("Action")).toEqual(actions);
    expect(enumOf("Happening")).toEqual([
      ...actions,
      "place",
      "expire",
      "escalate",
      "strike",
      "unstrike",
      "station",
      "unstation",
    ]);
    expect(enumOf("Role")).toEqual(roles);
    const { event } = api.follow({ $ref: "schema:Event" }).properties as { event: { enum: string[] } };
    expect(new Set(event.enum)).toEqual(new Set(Object.values(eventTypes).flat()));
  });

  it("leave out only the codes of the socket and of its path", () => {
    const written = new Set(codesIn(api.document));
    expect(codes.filter((code) => !written.has(code))).toEqual([
      "UPGRADE_REQUIRED",
      "TICKET_INVALID",
      "TOO_MANY_CONNECTIONS",
      "TOO_MANY_STREAMS",
      "TOO_MANY_MEMBERS",
      "CONNECTION_UNKNOWN",
      "PUBLISH_OUT_OF_ORDER",
      "FRAME_TOO_LARGE",
      "SLOW_READER",
      "NOT_SUPPORTED",
      "COLLECTION_UNKNOWN",
      "DOCUMENT_UNKNOWN",
      "DOCUMENT_EXISTS",
      "TOO_MANY_DOCUMENTS",
      "TOO_MANY_WATCHES",
      "COLLECTION_FULL",
      "OWNER_FULL",
      "TRANSACTION_UNKNOWN",
      "DATABASE_TRANSACTION_CONFLICT",
      "STOPPING",
    ]);
  });
});

describe("the examples of openapi.yaml", () => {
  interface Order {
    readonly id: string;
    readonly itemsFen: number;
    readonly packingFen: number;
    readonly deliveryFen: number;
    readonly totalFen: number;
    readonly lines: readonly { quantity: number; unitFen: number; totalFen: number }[];
  }

  /** Every value of this name, however deep. */
  function named(name: string, node: Json): Json[] {
    if (node === null || typeof node !== "object") return [];
    return Object.entries(node).flatMap(([key, part]) => [...(key === name ? [part] : []), ...named(name, part)]);
  }

  const examples = api.operations.flatMap(({ body, responses }) =>
    [body, ...Object.values(responses).map(({ content }) => content)].flatMap((content) =>
      Object.values(content).flatMap((media) => media.examples.map(([, value]) => value)),
    ),
  );

  it("describe one noon at one shop", () => {
    const texts = (name: string) => named(name, examples).filter((value) => typeof value === "string");
    expect(new Set(texts("shop"))).toEqual(new Set(["noodle-house"]));
    expect(new Set(texts("day"))).toEqual(new Set(["2026-11-21"]));
    expect(new Set(texts("phone"))).toEqual(new Set(["13900001234"]));
    expect(new Set(texts("number"))).toEqual(new Set(["A017", "A018"]));
    const orders = [...named("order", examples), ...named("orders", examples).flat()] as unknown as Order[];
    const ids = new Set(orders.flatMap((order) => (typeof order === "object" ? [order.id] : [])));
    expect(ids).toEqual(new Set(["01M7Y4F3BB8YRR8H69MPW67S0E", "01M7Y4JDJPJ220HFCNH31EQS7V"]));
  });

  it("have sums that add up", () => {
    const orders = [...named("order", examples), ...named("orders", examples).flat()] as unknown as Order[];
    const whole = orders.filter((order) => typeof order === "object");
    expect(whole.length).toBeGreaterThan(5);
    for (const { itemsFen, packingFen, deliveryFen, totalFen, lines } of whole) {
      expect(lines.reduce((sum, line) => sum + line.unitFen * line.quantity, 0)).toBe(itemsFen);
      expect(lines.map((line) => line.unitFen * line.quantity)).toEqual(lines.map((line) => line.totalFen));
      expect(itemsFen + packingFen + deliveryFen).toBe(totalFen);
    }
  });
});

function headersWith(headers: Headers, name: string, value?: string): Headers {
  const changed = new Headers(headers);
  if (value === undefined) changed.delete(name);
  else changed.set(name, value);
  return changed;
}

describe("an answer held against openapi.yaml", () => {
  let house: House;
  let guest: Person;
  beforeAll(async () => {
    house = await openHouse(anyEngine);
    guest = await house.guest();
  });
  afterAll(() => house.close());

  it.each<[string, (real: Answer) => Partial<Answer>, string]>([
    ["a status", () => ({ status: 202 }), "a status that is not written there"],
    ["a member", ({ body }) => ({ body: { ...body, more: 1 } }), "must NOT have additional properties"],
    ["a missing member", ({ body: { user } }) => ({ body: { user } }), "must have required property 'session'"],
    [
      "a type",
      ({ headers }) => ({ headers: headersWith(headers, "content-type", "text/plain") }),
      'the type "text/plain"',
    ],
    ["a missing header", ({ headers }) => ({ headers: headersWith(headers, "x-request-id") }), "is missing"],
    [
      "a header's value",
      ({ headers }) => ({ headers: headersWith(headers, "cache-control", "public") }),
      "Cache-Control",
    ],
    ["a header", ({ headers }) => ({ headers: headersWith(headers, "x-powered-by", "us") }), "x-powered-by"],
    ["a gateway's 404", () => ({ status: 404, body: { message: "Not Found" } }), "a status that is not written there"],
  ])("is refused for %s that is not written there", async (_, change, what) => {
    const real = await guest.http("GET", "/session");
    expect(() => witness("GET", "/session", { ...real, ...change(real) })).toThrow(what);
  });

  it("is refused for a member that its problem, its path or an empty answer does not have", async () => {
    const problem = await house.http("GET", "/session");
    const told = (changes: object) => ({ ...problem, body: { ...problem.body, ...changes } });
    for (const changes of [{ status: 403 }, { code: "SOLD_OUT" }, { dish: "bun" }, { type: "/errors#OTHER" }])
      expect(() => witness("GET", "/session", told(changes))).toThrow(ContractBroken);
    const real = await guest.http("GET", "/session");
    expect(() => witness("POST", "/nowhere", real)).toThrow("a route that is not written there");
    expect(() => witness("DELETE", "/session", { ...real, status: 204 })).toThrow("a body where none is written");
    expect(() => witness("GET", "/nowhere", { ...problem, status: 401 })).toThrow("a route that is not written there");
  });

  it("of the gateway itself passes", async () => {
    const real = await guest.http("GET", "/session");
    for (const status of [400, 413, 503])
      expect(() => witness("POST", "/bill", { ...real, status, body: { message: "?" } })).not.toThrow();
  });
});

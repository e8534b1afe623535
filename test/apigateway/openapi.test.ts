/** openapi.yaml is sound and says the words that the code says, and no answer passes that it does not have. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { codesIn } from "../../scripts/check_api.ts";
import { type Json, readOpenapi } from "../../scripts/read_api.ts";
import { codes } from "../../shared/errors.ts";
import { actions, eventTypes, services, statuses } from "../../shared/protocol.ts";
import { roles } from "../../shared/session.ts";
import { ContractBroken, readLaw, witness } from "../_contract.ts";
import { type Engine, engines } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person } from "../_house.ts";

const { api } = readLaw();

describe("check_api", () => {
  const serverless = readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8");
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "orderbell-api-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Runs the script as people do: the linter is an ES module, which jest cannot load. */
  async function check(name: string, texts: { openapi?: string; serverless?: string }) {
    const files = [join(folder, `${name}.yaml`), join(folder, `${name}.yml`)] as const;
    await writeFile(files[0], texts.openapi ?? readOpenapi());
    await writeFile(files[1], texts.serverless ?? serverless);
    const script = new URL("../../scripts/check_api.ts", import.meta.url).pathname;
    const run = promisify(execFile)(process.execPath, ["--import", "tsx", script, ...files], {
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const { code, stdout } = await run.then(
      (done) => ({ code: 0, stdout: done.stdout }),
      (failed) => failed as { code: number; stdout: string },
    );
    return { code, problems: stdout.split("\n").filter((line) => line !== "") };
  }

  /** A mistake whose place is gone would prove nothing. */
  function plant(text: string, [what, instead]: readonly [string, string]): string {
    expect(text).toContain(what);
    return text.replace(what, () => instead);
  }

  it("finds nothing wrong", async () => {
    expect(await check("clean", {})).toEqual({ code: 0, problems: [] });
  });

  it.each([
    [
      "a route that is not served",
      "  /login/staff:\n",
      "  /login/boss:\n",
      'route "POST /login/boss" is not in serverless',
    ],
    ["an unknown code", "[PAIRING_CODE_INVALID]", "[PAIRING_CODE_WRONG]", 'code "PAIRING_CODE_WRONG" is not in shared'],
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
  ])("finds %s", async (name, what, instead, problem) => {
    const { code, problems } = await check(name.replaceAll(/\W/g, "_"), {
      openapi: plant(readOpenapi(), [what, instead]),
    });
    expect([code, problems]).toEqual([1, expect.arrayContaining([expect.stringContaining(problem)])]);
  });

  it("finds a route that was added to serverless.yml alone", async () => {
    const route = "      - httpApi: POST /bill\n";
    const added = plant(serverless, [route, `${route}      - httpApi: GET /bills\n`]);
    const problems = ['route "GET /bills" is not in openapi.yaml'];
    expect(await check("added", { serverless: added })).toEqual({ code: 1, problems });
  });
});

describe("the words", () => {
  const enumOf = (name: string) => api.follow({ $ref: `schema:${name}` }).enum as string[];

  it("are those of the code", () => {
    expect(enumOf("Status")).toEqual(statuses);
    expect(enumOf("Service")).toEqual(services);
    expect(enumOf("Action")).toEqual(actions);
    expect(enumOf("Happening")).toEqual([...actions, "place", "expire", "escalate", "strike", "unstrike"]);
    expect(enumOf("Role")).toEqual(roles);
    const { event } = api.follow({ $ref: "schema:Event" }).properties as { event: { enum: string[] } };
    expect(new Set(event.enum)).toEqual(new Set(Object.values(eventTypes).flat()));
  });

  it("leave out only the codes of the socket and of paths that do not exist", () => {
    const written = new Set(codesIn(api.document));
    expect(codes.filter((code) => !written.has(code))).toEqual([
      "ROUTE_UNKNOWN",
      "TICKET_INVALID",
      "TOO_MANY_CONNECTIONS",
      "TOO_MANY_STREAMS",
      "PUBLISH_TOO_FAST",
      "CONNECTION_UNKNOWN",
      "EVENT_TOO_LARGE",
      "PUBLISH_OUT_OF_ORDER",
      "FRAME_TOO_LARGE",
      "SLOW_READER",
      "STOPPING",
    ]);
  });
});

describe("the examples", () => {
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

  it("are of one noon at one shop", () => {
    const texts = (name: string) => named(name, examples).filter((value) => typeof value === "string");
    expect(new Set(texts("shop"))).toEqual(new Set(["noodle-house"]));
    expect(new Set(texts("day"))).toEqual(new Set(["2026-11-21"]));
    expect(new Set(texts("phone"))).toEqual(new Set(["13900001234"]));
    expect(new Set(texts("number"))).toEqual(new Set(["A017", "A018"]));
    const orders = [...named("order", examples), ...named("orders", examples).flat()] as unknown as Order[];
    const ids = new Set(orders.flatMap((order) => (typeof order === "object" ? [order.id] : [])));
    expect(ids).toEqual(new Set(["01M7Y4F3BB8YRR8H69MPW67S0E", "01M7Y4JDJPJ220HFCNH31EQS7V"]));
  });

  it("add up", () => {
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

describe("an answer", () => {
  let house: House;
  let guest: Person;
  beforeAll(async () => {
    house = await openHouse(engines.find(({ name }) => name === "pglite") as Engine);
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

  it("is refused for what does not belong to its problem, its path, or where nothing belongs", async () => {
    const problem = await house.http("GET", "/session");
    const told = (changes: object) => ({ ...problem, body: { ...problem.body, ...changes } });
    for (const changes of [
      { status: 403 },
      { code: "SOLD_OUT" },
      { dish: "bun" },
      { type: "urn:orderbell:error:other" },
    ])
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

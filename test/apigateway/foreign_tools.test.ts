/** Foreign tools on openapi.yaml: Spectral finds nothing unexplained, and clients made from it talk to a running server. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { OpenAPIClientAxios } from "openapi-client-axios";
import { parse } from "yaml";
import { readOpenapi } from "../../scripts/read_api.ts";
import { tsc } from "../../scripts/tsc.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

const root = resolve(__dirname, "../..");
/** What this test reads of an answer. */
interface Answered {
  readonly session: { readonly token: string };
  readonly order: { readonly id: string };
}
const nobody = "01M7Y4F3BB8YRR8H69MPW67S0E";

/** Runs a program of Node beside this one, in which the server answers. @throws with everything that it said */
async function node(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, NODE_OPTIONS: "" } });
  const said: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (text) => {
      said[name] += text;
    });
  const status = await new Promise((done) => child.once("close", done));
  if (status !== 0) throw new Error(said.stdout + said.stderr);
  return said.stdout;
}

describe("Spectral, with all its rules for OpenAPI", () => {
  /** Rule → where it does not hold, and why. */
  const excuses: Readonly<Record<string, RegExp>> = {
    // Who runs the server is who can be asked; the project has no address of its own.
    "info-contact": /^info$/,
    // The licence has an SPDX identifier, beside which OpenAPI 3.1 allows no URL.
    "license-url": /^info\/license$/,
    // Tags are in the order in which one reads about them.
    "openapi-tags-alphabetical": /^tags$/,
    // Errors of the socket, and of paths that are no routes: no answer names them.
    "oas3-unused-component": /^components\/schemas\/[A-Z_]+$/,
    // The scopes of a key: roles of a security scheme, which OpenAPI 3.1 allows beside OAuth and the rule does not know.
    "oas3-operation-security-defined": /\/security\/\d+\/(key|password)\/\d+$/,
    // Wafer's session server has two addresses.
    "path-keys-no-trailing-slash": /^paths\/\/mina_auth\/$/,
    // Commands of another database are always refused.
    "operation-success-response": /\/commands\/post\/responses$/,
  };

  it("finds nothing that is not explained here, and no explanation is idle", async () => {
    const found = JSON.parse(await node("--import", "tsx", "test/apigateway/_spectral.ts")) as [
      string,
      string,
      string,
    ][];
    expect(found.filter(([rule, place]) => !excuses[rule]?.test(place))).toEqual([]);
    expect(new Set(found.map(([rule]) => rule))).toEqual(new Set(Object.keys(excuses)));
  });
});

describe("a client made from openapi.yaml", () => {
  let house: House;
  let folder: string;
  beforeAll(async () => {
    mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
    // Within node_modules, where the client finds its runtime.
    folder = mkdtempSync(join(root, "node_modules/.cache/orderbell-generated-"));
    house = await openHouse(anyEngine);
  });
  afterAll(async () => {
    await house?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("by oazapfts compiles strictly, narrows errors by their code, and works", async () => {
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "dom", "dom.iterable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      noUncheckedIndexedAccess: true,
      noImplicitReturns: true,
      rewriteRelativeImportExtensions: true,
      outDir: "made",
      rootDir: ".",
    };
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["client.ts", "program.ts"] }),
    );
    cpSync(join(__dirname, "generated/program.ts"), join(folder, "program.ts"));
    await node("node_modules/oazapfts/dist/cli.js", "apigateway/openapi.yaml", join(folder, "client.ts"));
    await node(tsc, "-p", folder);
    const said = await node(join(folder, "made/program.js"), house.url, house.shop);
    expect(JSON.parse(said)).toEqual([
      "SESSION_MISSING",
      expect.stringMatching(/^placed [A-Z][0-9]{3}$/),
      "bun: 50 left",
      "mend lines.0.quantity",
      "1 order, more: false",
    ]);
    // Every code that an answer can have is a type of its own.
    expect(readFileSync(join(folder, "client.ts"), "utf8")).toMatch(/code: "SOLD_OUT";\s*\} & SoldOut/);
  });

  it("by openapi-client-axios has every operation, and works", async () => {
    const definition = parse(readOpenapi());
    const made = new OpenAPIClientAxios({ definition, axiosConfigDefaults: { baseURL: house.url } });
    const client = await made.init();
    const call = (name: string, ...args: unknown[]) =>
      (client[name] as (...args: unknown[]) => Promise<{ data: Answered }>)(...args);
    const begun = await call("loginAsGuest", null, {});
    const headers = {
      authorization: `Bearer ${begun.data.session.token}`,
      "idempotency-key": "openapi-client-axios-1",
    };
    const bill = { shop: house.shop, service: "pickup", lines: [{ dish: "tea", quantity: 1 }] };
    const { order } = (await call("placeOrder", null, bill, { headers })).data;
    expect((await call("showOrder", { id: order.id }, null, { headers })).data.order).toMatchObject({ id: order.id });
    await expect(call("showOrder", nobody, null, { headers })).rejects.toMatchObject({
      response: { status: 404, data: { code: "ORDER_UNKNOWN", type: "/errors#ORDER_UNKNOWN" } },
    });
  });
});

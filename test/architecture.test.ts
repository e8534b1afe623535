/** The architecture: directions of imports, files that may use environment, clock and network, and the list of deployed functions. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { functions } from "../functions/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Path from the root → text. */
type Sources = ReadonlyMap<string, string>;

const left = new Set(["node_modules", "dist", ".git", "coverage", ".serverless"]);

function sourcesBelow(folder: string): Sources {
  const found = new Map<string, string>();
  const walk = (path: string) => {
    for (const name of readdirSync(join(folder, path))) {
      if (left.has(name) || (name.startsWith(".") && path === "")) continue;
      const inner = path === "" ? name : `${path}/${name}`;
      if (statSync(join(folder, inner)).isDirectory()) walk(inner);
      else if (/\.(ts|tsx|mjs)$/.test(name) && !name.endsWith(".d.ts"))
        found.set(inner, readFileSync(join(folder, inner), "utf8"));
    }
  };
  walk("");
  return found;
}

// This file quotes imports that do not exist.
const sources = new Map([...sourcesBelow(root)].filter(([path]) => path !== "test/architecture.test.ts"));

// --- Reading imports -----------------------------------------------------------------------------------------------

/** Texts, regular expressions and comments, whichever begins first. */
const token =
  /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`)|(?<![\w)\]]\s{0,9})(\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The text without comments: what is only talked about is neither imported nor called. Line breaks stay. */
const withoutComments = (text: string): string =>
  text.replace(token, (all, quoted?: string, regexp?: string) =>
    quoted !== undefined || regexp !== undefined ? all : all.replace(/[^\n]/g, ""),
  );

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** `import`, `import type`, `export … from`, `import("…")`, in value and in type position, and `require("…")`. */
const statement =
  /\b(?:(import|export)\s+(type\s+)?(?:[\w$*\s{},]*?from\s*)?|(import|require)\s*\(\s*)(?:"([^"\n]+)"|'([^'\n]+)'|`([^`\n$]+)`)/g;

/** Every import of a text: what it names, and whether it is of types alone. */
function statementsOf(text: string): { name: string; typeOnly: boolean }[] {
  const code = withoutComments(text);
  const texts = [...code.matchAll(token)].filter(([, quoted]) => quoted !== undefined);
  return [...code.matchAll(statement)].flatMap((match) => {
    const [all, word, type, , ...names] = match;
    const around = texts.find(({ index, 0: quoted }) => index < match.index && match.index < index + quoted.length);
    // In a text stands no statement; in a template may stand a call.
    if (around !== undefined && (word !== undefined || !around[0].startsWith("`"))) return [];
    // Members that are all types count as types too.
    const members = /\{([^}]*)\}/
      .exec(all)?.[1]
      ?.split(",")
      .filter((one) => one.trim() !== "");
    const typeOnly = type !== undefined || (members?.every((one) => /^\s*type\s/.test(one)) ?? false);
    return [{ name: names.find((one) => one !== undefined) ?? "", typeOnly }];
  });
}

/** What a file imports of this project, as paths from the root. */
const importsOf = (path: string, text: string): Import[] =>
  statementsOf(text)
    .filter(({ name }) => name.startsWith("."))
    .map(({ name, typeOnly }) => ({ from: path, to: join(dirname(path), name), typeOnly }));

/** The packages that a file imports. */
const packagesOf = (text: string): string[] =>
  statementsOf(text)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("."));

// --- The arrows ----------------------------------------------------------------------------------------------------

/** What clients, pages and mini-program share with the server. */
const nodeFree = ["shared/protocol.ts", "shared/order_states.ts"];

const rooms = [
  "shared",
  "shared/sessions",
  "shared/streams",
  "shared/ordering",
  "shared/shop",
  "shared/wafer",
  "shared/webhooks",
  "shared/files",
  "shared/live",
  "shared/cloudbase",
  "shared/games",
];

/** Folder → folders that its files may import. A folder of a folder has a row of its own where its arrows differ. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  db: [],
  shared: ["db"],
  // Each room of shared/ stands on those above it.
  "shared/sessions": ["shared", "db"],
  "shared/streams": ["shared/sessions", "shared", "db"],
  "shared/ordering": ["shared/streams", "shared/sessions", "shared", "db"],
  "shared/shop": ["shared/ordering", "shared/streams", "shared/sessions", "shared", "db"],
  // Other parties: they know of streams and sessions, and no room above knows of them.
  "shared/wafer": ["shared/streams", "shared/sessions", "shared", "db"],
  "shared/webhooks": ["shared/streams", "shared/sessions", "shared", "db"],
  "shared/files": ["shared/sessions", "shared", "db"],
  // Its built-in collections are orderbell's own shops and orders.
  "shared/live": ["shared/shop", "shared/ordering", "shared/streams", "shared/sessions", "shared", "db"],
  // The vendor's dialects over HTTP.
  "shared/cloudbase": ["shared/files", "shared/live", "shared/streams", "shared/sessions", "shared", "db"],
  // The business of the examples: it knows of streams and sessions, as one of your own would.
  "shared/games": ["shared/streams", "shared/sessions", "shared", "db"],
  apigateway: ["db", ...rooms, "apigateway/local"],
  "apigateway/local": ["apigateway", "db", ...rooms],
  // Calls to a cloud beside its gateway.
  cloud: [...rooms],
  functions: ["apigateway", "cloud", "db", ...rooms],
  demo: ["db", ...rooms],
  clients: nodeFree,
  web: ["clients", ...nodeFree],
  miniprogram: ["clients", ...nodeFree],
  examples: ["clients"],
  cli: ["apigateway", "apigateway/local", "clients", "cloud", "db", "demo", "functions", ...rooms],
  bin: ["cli"],
  // They build and check everything.
  scripts: [
    "apigateway",
    "apigateway/local",
    "cli",
    "clients",
    "cloud",
    "db",
    "demo",
    "examples",
    "functions",
    "miniprogram",
    ...rooms,
    "test",
    "web",
  ],
  bench: ["apigateway", "apigateway/local", "cli", "clients", "db", "demo", "functions", "scripts", ...rooms, "test"],
};

/** Only the demo's own command, and the script of its screenshots, may import the demo. */
const demoUsers = new Set(["cli/start.ts", "scripts/screenshots.ts", "bench/first_dish.ts"]);

const folderOf = (path: string) =>
  /^(shared\/[^/]+|apigateway\/local)(?=\/)/.exec(path)?.[0] ?? path.slice(0, Math.max(0, path.indexOf("/")));

/** Imports that run against the arrows, each as `from → to`. Tests may import everything. */
function wrongArrows(files: Sources): string[] {
  return [...files].flatMap(([path, text]) => {
    const folder = folderOf(path);
    // The configuration of a tool at the root belongs to no folder.
    if (folder === "test" || folder === "") return [];
    const allowed = arrows[folder];
    if (allowed === undefined) return [`${path}: the folder "${folder}" has no row in the table of arrows`];
    return importsOf(path, text)
      .filter(({ to }) => {
        const target = folderOf(to);
        if (target === "demo" && folder !== "demo" && !demoUsers.has(path)) return true;
        return target !== folder && !allowed.includes(target) && !allowed.includes(to);
      })
      .map(({ to }) => `${path} → ${to}`);
  });
}

/** Rings of files, each as `a → b → a`; types count like values. */
function ringsIn(files: Sources): string[] {
  const rings: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const at = path.indexOf(file);
    if (at >= 0) rings.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const one of importsOf(file, files.get(file) ?? "")) if (files.has(one.to)) visit(one.to);
    path.pop();
    done.add(file);
  };
  for (const file of files.keys()) visit(file);
  return rings;
}

/** Everything that a file brings with it when it runs, itself included. */
function broughtBy(files: Sources, ...entry: string[]): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file) || !files.has(file)) return;
    found.add(file);
    for (const { to, typeOnly } of importsOf(file, files.get(file) ?? "")) if (!typeOnly) visit(to);
  };
  for (const one of entry) visit(one);
  return found;
}

/** Imports of missing files: otherwise a misread import would go unnoticed. */
function unknownTargets(files: Sources): string[] {
  return [...files.keys()]
    .flatMap((path) => importsOf(path, files.get(path) ?? ""))
    .filter(({ to }) => /\.(ts|tsx)$/.test(to) && !files.has(to))
    .map(({ from, to }) => `${from} → ${to}`);
}

// --- The outside ---------------------------------------------------------------------------------------------------

interface Outside {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files, and folders with a slash at their end, that may. Each beside the main place has its reason. */
  readonly allowed: readonly string[];
}

const entries = ["bin/", "scripts/", "bench/"];

const outside: readonly Outside[] = [
  {
    what: "the environment",
    pattern: /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\benv\b[^;\n]*from\s*"node:process"/g,
    allowed: entries,
  },
  {
    what: "the clock",
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bnew\s+Date\b(?!\s*\()|\bperformance\s*\.\s*now\b/g,
    allowed: [
      "functions/_app.ts",
      ...entries,
      // The default of an option that the machine fills with the app's clock.
      "apigateway/local/server.ts",
      // Signed requests are held against the time of the wire, as the cloud does.
      "apigateway/local/management.ts",
      // Patience with a database, in real time even where a test moves the clock.
      "db/repeat.ts",
      "db/wait_for_database.ts",
      // The default of an option, for `init_db` before there is an app.
      "db/migrate.ts",
      "cli/self_signed.ts",
      "demo/wechat.ts",
      // One transport each: the platform is where a client's clock and chance come in.
      "clients/browser.ts",
      "clients/node.ts",
      "clients/wechat.ts",
      "clients/miniprogram.ts",
    ],
  },
  {
    what: "chance",
    pattern:
      /\bMath\s*\.\s*random\b|\brandom(?:Bytes|UUID|Int|FillSync)\s*\(|\brandomFill\s*\(|\bgetRandomValues\b|\bfrom\s*"ulid"/g,
    allowed: [
      "functions/_app.ts",
      ...entries,
      // Nonces: a seal that was given one could be given the same one twice.
      "shared/secrets.ts",
      // Jitter of a retry.
      "apigateway/local/push_queue.ts",
      "db/repeat.ts",
      // Connection ids, which belong to the gateway.
      "apigateway/local/handshake.ts",
      "cli/demo_keys.ts",
      "demo/",
      "clients/browser.ts",
      "clients/node.ts",
      "clients/wechat.ts",
      "clients/miniprogram.ts",
    ],
  },
];

/** Uses of the outside in files that are not listed, each as `path: text`. */
function leaks(files: Sources, list: readonly Outside[] = outside): string[] {
  return [...files].flatMap(([path, text]) => {
    // Pages and the mini-program run in their own platforms; a browser's page may ask for the time to show it.
    if (/^(test|web|miniprogram|examples)\//.test(path) || folderOf(path) === "") return [];
    const code = withoutComments(text);
    return list
      .filter(({ allowed }) => !allowed.some((one) => (one.endsWith("/") ? path.startsWith(one) : path === one)))
      .flatMap(({ what, pattern }) =>
        [...code.matchAll(pattern)].map(([found]) => `${path}: ${what} by ${found.replace(/\s+/g, " ")}`),
      );
  });
}

// --- The rules on the code -----------------------------------------------------------------------------------------

describe("the code", () => {
  it("is read whole", () => {
    for (const folder of ["db", "shared", "apigateway", "apigateway/local", "functions", "cli", "clients"])
      expect([...sources.keys()].filter((path) => folderOf(path) === folder).length).toBeGreaterThan(3);
    expect(unknownTargets(sources)).toEqual([]);
    const count = [...sources].flatMap(([path, text]) => importsOf(path, text)).length;
    expect(count).toBeGreaterThan(300);
  });

  it("has imports in one direction only", () => {
    expect(wrongArrows(sources)).toEqual([]);
  });

  it("has no import cycle, types included", () => {
    expect(ringsIn(sources)).toEqual([]);
  });

  it("imports nothing of the local gateway, the demo or the tests into a function", () => {
    const brought = [...broughtBy(sources, "functions/index.ts")];
    expect(brought).toContain("db/orders.ts");
    expect([...new Set(brought.map(folderOf))].toSorted()).toEqual(
      ["apigateway", "db", "functions", ...rooms].toSorted(),
    );
  });

  it("imports nothing of the server into a client", () => {
    const clients = [...sources.keys()].filter((path) => path.startsWith("clients/"));
    const brought = [...broughtBy(sources, ...clients)].filter((path) => !path.startsWith("clients/"));
    expect(brought.filter((path) => !nodeFree.includes(path))).toEqual([]);
    for (const path of nodeFree) {
      const text = sources.get(path) ?? "";
      expect(text).not.toBe("");
      expect(importsOf(path, text).filter(({ to }) => !nodeFree.includes(to))).toEqual([]);
      expect(packagesOf(text)).toEqual([]);
    }
  });

  it("reads environment, clock and chance in the listed files only", () => {
    expect(leaks(sources)).toEqual([]);
  });

  it("names environment variables in one file", () => {
    const readers = [...sources]
      .filter(([path]) => !/^(test|bench|scripts|web|miniprogram)\//.test(path))
      .filter(([, text]) => /\benvironment\s*(?:\.\s*[A-Z]|\[)/.test(withoutComments(text)))
      .map(([path]) => path);
    // reach_admin.ts reads whether there is a DATABASE_URL, to choose between server and database.
    expect(readers.toSorted()).toEqual(["cli/reach_admin.ts", "shared/config.ts"]);
  });

  it("reaches the drivers of databases and clouds through their ports only", () => {
    const doors: Readonly<Record<string, RegExp>> = {
      "@electric-sql/pglite": /^db\/pglite\.ts$/,
      pg: /^db\/postgres_(connections|alone)\.ts$/,
      mysql2: /^db\/mysql\.ts$/,
      aws4fetch: /^(apigateway|cloud)\//,
      "prom-client": /^cli\/metrics\.ts$/,
      ...Object.fromEntries(
        ["api", "core", "resources", "sdk-trace-base", "exporter-trace-otlp-http"].map((name) => [
          `@opentelemetry/${name}`,
          /^cli\/traces\.ts$/,
        ]),
      ),
      // Measured: it belongs into functions that talk to others, and into no other bundle.
      axios: /^(cli|functions)\//,
    };
    const wrong = [...sources]
      .filter(([path]) => !/^(test|bench|scripts)\//.test(path))
      .flatMap(([path, text]) =>
        packagesOf(text)
          .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
          .filter((name) => doors[name] !== undefined && !doors[name]?.test(path))
          .map((name) => `${path} → ${name}`),
      );
    // Types and classes of axios: what shared/wechat.ts is given.
    expect(wrong.filter((one) => one !== "shared/wechat.ts → axios")).toEqual([]);
  });

  it("deploys every file of functions/ under one name", () => {
    const project = parse(readFileSync(join(root, "serverless.yml"), "utf8"), { merge: true }) as {
      functions: Record<string, { handler: string }>;
    };
    const files = readdirSync(join(root, "functions"))
      .filter((name) => !name.startsWith("_") && name !== "index.ts")
      .map((name) => name.replace(/\.ts$/, ""));
    expect(Object.keys(project.functions).toSorted()).toEqual(files.toSorted());
    expect(Object.keys(functions).toSorted()).toEqual(files.toSorted());
    for (const [name, { handler }] of Object.entries(project.functions))
      expect(handler).toBe(`functions/${name}.handler`);
    for (const name of files) {
      expect(sources.get(`functions/index.ts`)).toContain(`import { handler as ${name} } from "./${name}.ts";`);
      expect(sources.get(`functions/${name}.ts`)).toMatch(/^export const handler\b/m);
    }
  });
});

// --- That the checks can fail --------------------------------------------------------------------------------------

describe("the architecture's checks", () => {
  const planted = (path: string, text: string, more: Record<string, string> = {}): Sources =>
    new Map([...sources, ...Object.entries(more), [path, text]]);
  /** What a check finds in these files and not in the house as it is. */
  const found = (check: (files: Sources) => string[], files: Sources) => {
    const before = new Set(check(sources));
    return check(files).filter((one) => !before.has(one));
  };

  it.each([
    ["a value", 'import { openChannel } from "../clients/channel.ts";'],
    ["a type", 'import type { Channel } from "../clients/channel.ts";'],
    ["a member type", 'import { type Channel } from "../clients/channel.ts";'],
    ["an effect", 'import "../clients/channel.ts";'],
    ["several lines", 'import {\n  openChannel,\n  type Channel,\n} from "../clients/channel.ts";'],
    ["a default and a namespace", 'import one, * as all from "../clients/channel.ts";'],
    ["a dynamic import", 'const it = await import("../clients/channel.ts");'],
    ["a dynamic import over lines", "const it = await import(\n  '../clients/channel.ts',\n);"],
    ["an import type in a type", 'type It = import("../clients/channel.ts").Channel;'],
    ["a template", "await import(`../clients/channel.ts`);"],
    ["a re-export", 'export { openChannel } from "../clients/channel.ts";'],
    ["a re-export of all", 'export * from "../clients/channel.ts";'],
    ["a re-export of types", 'export type { Channel } from "../clients/channel.ts";'],
    ["a call in a template", "const a = `$" + '{await import("../clients/channel.ts")}`;'],
    ["require", 'const it = require("../clients/channel.ts");'],
    ["behind a string that looks like a comment", 'const a = "/*"; import "../clients/channel.ts"; const b = "*/";'],
    ["behind a regular expression with quotes", 'const a = /["\'`/*]/;\nimport "../clients/channel.ts";'],
  ])("find %s against the arrows", (_, text) => {
    expect(found(wrongArrows, planted("shared/planted.ts", text))).toEqual(["shared/planted.ts → clients/channel.ts"]);
  });

  it("do not take a comment or a text for an import", () => {
    const text = [
      '// import "../clients/channel.ts";',
      "const text = 'import \"../clients/channel.ts\"';",
      'const lines = `\nimport "../clients/channel.ts";`;',
      '/* import "../clients/channel.ts"; */',
      '/** import("../clients/channel.ts") and Date.now() and process.env */',
      "const ratio = a / b; // Math.random()",
    ].join("\n");
    expect(found(wrongArrows, planted("shared/planted.ts", text))).toEqual([]);
    expect(found(leaks, planted("shared/planted.ts", text))).toEqual([]);
  });

  it.each([
    ["db/planted.ts", "../shared/errors.ts"],
    ["shared/planted.ts", "../functions/_app.ts"],
    ["shared/planted.ts", "../apigateway/entry.ts"],
    ["apigateway/planted.ts", "../functions/index.ts"],
    ["functions/planted.ts", "../cli/machine.ts"],
    ["functions/planted.ts", "../apigateway/local/server.ts"],
    ["clients/planted.ts", "../shared/sessions/session.ts"],
    ["clients/planted.ts", "../db/sql.ts"],
    ["web/planted.ts", "../shared/ordering/order.ts"],
    ["cli/serve.ts", "../demo/shops.ts"],
    ["demo/planted.ts", "../clients/channel.ts"],
    ["shared/planted.ts", "../test/_house.ts"],
    ["cli/planted.ts", "../test/_house.ts"],
    ["shared/planted.ts", "../shared/sessions/session.ts"],
    ["shared/sessions/planted.ts", "../../shared/streams/change.ts"],
    ["shared/streams/planted.ts", "../../shared/ordering/order.ts"],
    ["shared/ordering/planted.ts", "../../shared/shop/stock.ts"],
  ])("find %s → %s", (path, to) => {
    expect(found(wrongArrows, planted(path, `import "${to}";`))).toEqual([`${path} → ${to.replace(/^(\.\.\/)+/, "")}`]);
  });

  it("find a folder without a rule", () => {
    expect(found(wrongArrows, planted("helpers/planted.ts", ""))).toEqual([
      'helpers/planted.ts: the folder "helpers" has no row in the table of arrows',
    ]);
    expect(found(wrongArrows, planted("shared/helpers/planted.ts", ""))).toEqual([
      'shared/helpers/planted.ts: the folder "shared/helpers" has no row in the table of arrows',
    ]);
  });

  it("find a cycle, also one of types alone", () => {
    const ring = planted("shared/planted_a.ts", 'import type { B } from "./planted_b.ts";', {
      "shared/planted_b.ts": 'import { c } from "./planted_c.ts";',
      "shared/planted_c.ts": 'export type { A } from "./planted_a.ts";',
    });
    expect(found(ringsIn, ring)).toEqual([
      "shared/planted_b.ts → shared/planted_c.ts → shared/planted_a.ts → shared/planted_b.ts",
    ]);
  });

  it.each(["import", "import type"])("find a cycle closed by %s", (statement) => {
    const text = `${sources.get("shared/app.ts")}\n${statement} { placeOrder } from "./ordering/place_order.ts";`;
    expect(found(ringsIn, planted("shared/app.ts", text)).length).toBeGreaterThan(0);
  });

  it("find an import of a missing file", () => {
    expect(found(unknownTargets, planted("shared/planted.ts", 'import "./is_not_there.ts";'))).toEqual([
      "shared/planted.ts → shared/is_not_there.ts",
    ]);
  });

  it.each([
    ["process.env.HOME", "the environment"],
    ['process["env"].HOME', "the environment"],
    ['import { env } from "node:process";', "the environment"],
    ["const now = Date.now();", "the clock"],
    ["const clock = { now: Date.now };", "the clock"],
    ["const now = new Date();", "the clock"],
    ["const now = new Date;", "the clock"],
    ["const from = performance.now();", "the clock"],
    ["const jitter = Math.random();", "chance"],
    ["const id = randomBytes(8);", "chance"],
    ["const id = crypto.randomUUID();", "chance"],
    ['import { ulid } from "ulid";', "chance"],
    ["crypto.getRandomValues(bytes);", "chance"],
  ])("find %s outside the listed files", (text, what) => {
    const leaked = found(leaks, planted("shared/planted.ts", text));
    expect(leaked).toHaveLength(1);
    expect(leaked[0]).toMatch(new RegExp(`^shared/planted\\.ts: ${what} by `));
  });

  it("allow a date made of a given time", () => {
    expect(found(leaks, planted("shared/planted.ts", "const at = new Date(ms).toISOString();"))).toEqual([]);
  });

  it("list no file that does not use its exemption", () => {
    const unused = outside.flatMap(({ what, pattern, allowed }) =>
      allowed
        .filter((one) => !one.endsWith("/") && sources.has(one))
        .filter((one) => !withoutComments(sources.get(one) ?? "").match(pattern))
        .map((one) => `${one}: ${what}`),
    );
    expect(unused).toEqual([]);
  });
});

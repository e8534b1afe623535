/** The checks of `npm run check`: each finds a planted error. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { apiTypes, checkApiTypes } from "../../scripts/api_types.ts";
import { lengthsIn, longest } from "../../scripts/check_lengths.ts";
import { checkLock } from "../../scripts/check_lock.ts";
import { checkProtocol } from "../../scripts/check_protocol.ts";
import { checkErrorReference } from "../../scripts/error_reference.ts";
import { scan } from "../../scripts/scan_output.ts";

const protocol = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

describe("docs/protocol.md against the code", () => {
  it("finds no difference", () => {
    expect(checkProtocol(protocol)).toEqual([]);
  });

  it.each<[string, string, string, RegExp]>([
    ["a message that does not exist", "### `head`", "### `heads`", /message "heads".*not in the code/],
    ["a message that is missing", "### `leave`\n", "\n", /message "leave".*not in docs/],
    [
      "a right that is not given",
      "| cancel | yes | yes | no | yes |",
      "| cancel | yes | yes | yes | yes |",
      /"cancel" by kitchen/,
    ],
    ["a reader too many", "| itself | nobody |", "| anyone | nobody |", /reader of user "anyone"/],
    ["an event that does not exist", "`dish.changed`", "`dish.altered`", /event of shop "dish.altered"/],
    ["a code that does not exist", "`SLOW_READER`: it", "`SLOW_WRITER`: it", /code "SLOW_WRITER"/],
    ["another way to make a stream", "with its first event", "by hand", /stream "user" is made/],
  ])("finds %s", (_, before, after, problem) => {
    expect(protocol).toContain(before);
    expect(checkProtocol(protocol.replace(before, after)).join("\n")).toMatch(problem);
  });
});

describe("docs/errors.md against openapi.yaml", () => {
  it("finds no difference, and says what to do about one", () => {
    expect(checkErrorReference()).toEqual([]);
    const other = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8").replace(
      "### SOLD_OUT",
      "### SOLD",
    );
    expect(checkErrorReference(other)).toEqual([expect.stringContaining("scripts/error_reference.ts")]);
  });
});

describe("the longest functions", () => {
  it("are found where they begin, inner ones included, and no block counts as one", () => {
    const text = `export function outer(
  a: number,
): number {
  const inner = async () => {
    return 1;
  };
  if (a > 0) {
    return 2;
  }
  return inner;
}

class Thing {
  get(name: string): string {
    return name;
  }
}
const list = {
  a: 1,
};
`;
    expect(lengthsIn("a.ts", text)).toEqual([
      { file: "a.ts", line: 3, lines: 9 },
      { file: "a.ts", line: 4, lines: 3 },
      { file: "a.ts", line: 14, lines: 3 },
    ]);
  });

  it("are those of the whole project", () => {
    const [first, second] = longest(2);
    expect(first?.lines).toBeGreaterThanOrEqual(second?.lines ?? Number.POSITIVE_INFINITY);
    expect(second?.lines).toBeGreaterThan(50);
  });
});

describe("package-lock.json against itself", () => {
  const found = (packages: object) => checkLock(JSON.stringify({ packages })).join("\n");

  it("finds no difference", () => {
    expect(checkLock()).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ["a platform's package that is missing", { optionalDependencies: { "a-win32": "1" } }, /wants a-win32/],
    ["the address of a registry", { resolved: "https://registry.test/a.tgz" }, /names the address/],
    [
      "a package that refuses Node 20.19",
      { engines: { node: ">=22.19.0" } },
      /wants Node >=22\.19\.0, so not 20\.19\.0/,
    ],
    ["a tool that production would install", { devOptional: true }, /comes with npm ci --omit=dev/],
    ["a package that refuses the newest Node", { engines: { node: "20 || 22" } }, /so not 26\.0\.0/],
  ])("finds %s", (_, one, problem) => {
    expect(found({ "node_modules/a": one })).toMatch(problem);
  });

  it("finds nothing wrong in a package that names no Node", () => {
    expect(found({ "node_modules/a": { version: "1.0.0" } })).toBe("");
  });
});

describe("the search for secrets in what was printed", () => {
  // Put together here, so that this very file does not hold one.
  const planted: [string, string][] = [
    ["a session token", `obg_${"0".repeat(52)}${"a".repeat(32)}`],
    ["a ticket", `obt_${"a".repeat(32)}`],
    ["an API key", `obk_${"a".repeat(43)}`],
    ["a pairing code", ["K7QM", "2XPA", "9TRW"].join("-")],
    ["a telephone number", `1390000${"1234"}`],
    ["a name", ["王", "小", "明"].join("")],
  ];

  it.each(planted)("finds %s, and does not repeat it", (what, secret) => {
    const found = scan(`{"event":"request"}\n{"event":"request","note":"${secret}"}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(what);
    expect(found[0]).not.toContain(secret);
  });

  it("finds nothing in an ordinary line", () => {
    expect(
      scan(
        '{"at":"2026-11-21T08:19:02.504Z","level":"info","event":"push","stream":"shop:noodles","seq":17,"about":"01M7YHFXQAX5A2EW393VQTANMS"}',
      ),
    ).toEqual([]);
  });
});

describe("the search for what old phones lack", () => {
  const scripts: [script: string, found: string[]][] = [
    ["[1].at(-1); 'a'.at(0)", [".at()"]],
    ["[1].findLast(Boolean); 'a'.replaceAll('a', 'b'); x.toSorted()", [".findLast()", ".replaceAll()", ".toSorted()"]],
    [
      "Object.hasOwn({}, 'a'); Promise.any([]); Array.fromAsync([])",
      ["Array.fromAsync", "Object.hasOwn", "Promise.any"],
    ],
    ["structuredClone({}); self.structuredClone({})", ["structuredClone"]],
    ["AbortSignal.timeout(1); AbortSignal.any([])", ["AbortSignal.any", "AbortSignal.timeout"]],
    ["crypto.randomUUID(); list.replaceChildren()", [".randomUUID()", ".replaceChildren()"]],
    ["new Intl.DateTimeFormat('en', { hour: '2-digit', dateStyle: 'short' })", ["{dateStyle}"]],
    ["new Intl.ListFormat('en')", ["Intl.ListFormat"]],
    ["/(?<=a)b/.test(x); new RegExp('(?<!a)')", ["(?<=…)"]],
    ["new WeakRef({}); new BroadcastChannel('a')", ["BroadcastChannel", "WeakRef"]],
    // What is old enough, is asked for first, or is the script's own.
    ["[1].flat().includes(1); Object.fromEntries([]); 'a'.padStart(2); fetch('/'); new AbortController()", []],
    ["typeof structuredClone; x.at?.(0)", []],
    ["const line = { at: 1 }; line.at; function structuredClone() {} structuredClone()", []],
    ["const mine = { take() {}, watch: () => {} }; mine.take(); mine.watch()", []],
  ];
  const styles: [sheet: string, found: string[]][] = [
    [".a { inset: 0; height: 100dvh }", ["dvh", "inset"]],
    [".a { height: 100vh; height: 100dvh; display: flex }", []],
    ["@container (width > 1px) { .a { color: color-mix(in srgb, red, blue) } }", ["@container", "color-mix()"]],
    [".a:is(.b, .c) { gap: 1px }", [":is"]],
  ];

  it("finds each, and nothing else", () => {
    // The parser has a binary part, which does not run in jest.
    const program = `
      import { newIn, newInStyle } from "./scripts/check_built_ins.ts";
      const [scripts, styles] = JSON.parse(process.argv[1]);
      console.log(JSON.stringify([scripts.map((one) => newIn(one)), styles.map((one) => newInStyle(one))]));`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        program,
        JSON.stringify([scripts, styles].map((cases) => cases.map(([text]) => text))),
      ],
      {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "" },
      },
    );
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([scripts, styles].map((cases) => cases.map(([, found]) => found)));
  });
});

describe("the check of the SDK's types", () => {
  it("passes, and a type that openapi.yaml has not fails", () => {
    const text = readFileSync(new URL("../../clients/api_types.ts", import.meta.url), "utf8");
    expect(checkApiTypes(text)).toEqual([]);
    expect(checkApiTypes(text.replace("totalFen: number", "totalFen: string"))).toEqual([
      "clients/api_types.ts is out of date: `npm run build:types` writes it",
    ]);
    expect(apiTypes()).toContain("SOLD_OUT: {");
  });
});

/** Every command of the command line: with a running server, and on the database without one. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { commands } from "../../cli/commands.ts";
import { operator } from "../../cli/operator.ts";
import { otherCommands } from "../../cli/parse_arguments.ts";
import { commandNames } from "../../functions/admin.ts";
import { csv } from "../../shared/shop/report.ts";
import { newKey, openSocket } from "../_house.ts";
import { note } from "../_printed.ts";
import {
  cleanUp,
  type Demo,
  launch,
  newDemoHome,
  newHome,
  orderbell,
  type Run,
  root,
  startDemo,
  within,
} from "./_cli.ts";

let home: string;
let demo: Demo;
const shop = "noodle-house";

beforeAll(async () => {
  home = await newDemoHome();
  demo = await startDemo(home);
});

afterAll(cleanUp);

const run = (...argv: string[]) => within(argv, { ORDERBELL_HOME: home });

/** Runs a command that must succeed, and gives its JSON. */
// biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
async function answer(...argv: string[]): Promise<any> {
  const { code, out, err } = await run(...argv);
  expect({ argv, code, err }).toEqual({ argv, code: 0, err: "" });
  return JSON.parse(out);
}

const refused = (code: number, err: string | RegExp) =>
  ({ code, out: "", err: typeof err === "string" ? err : expect.stringMatching(err) }) as Run;

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const folder = join(home, "files");
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function http(method: string, path: string, token?: string, body?: object | URLSearchParams, key?: string) {
  const form = body instanceof URLSearchParams;
  const response = await fetch(demo.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: form ? body.toString() : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const guest = async () => (await http("POST", "/login/guest")).body;
const dishesOf = async (of = shop) =>
  (await http("GET", `/get_shop_info?shop=${of}`)).body.menu.dishes.map(({ id }: { id: string }) => id);

const dish = (id: string, priceFen: number) => ({ id, category: "noodles", names: { zh: "牛肉面" }, priceFen });
const goodMenu = { categories: [{ id: "noodles", names: { zh: "面", en: "Noodles" } }], dishes: [dish("beef", 2_800)] };

describe("help and usage", () => {
  it("lists every command", async () => {
    for (const argv of [[], ["help"], ["--help"]]) {
      const { code, out, err } = await run(...argv);
      expect([code, err]).toEqual([0, ""]);
      for (const name of [...Object.keys(commands), ...Object.keys(otherCommands)])
        expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
  });

  it("explains every command and its options, in both ways to ask, and does nothing", async () => {
    for (const [name, { words, help, options = {} }] of Object.entries({ ...commands, ...otherCommands })) {
      const { code, out, err } = await run(...name.split(" "), "--help");
      expect([name, code, err]).toEqual([name, 0, ""]);
      expect(out).toContain(`Usage: orderbell ${name}${words === "" ? "" : ` ${words}`}`);
      // Long ones are wrapped.
      const text = out.replace(/\s+/g, " ");
      expect(text).toContain(help);
      for (const [flags, what] of Object.entries(options)) expect(text).toContain(`${flags} ${what}`);
      expect((await run("help", ...name.split(" "))).out).toBe(out);
    }
    const { out } = await run("shop", "--help");
    expect(out).toMatch(/^ {2}shop create <id> \[options\] +make a shop/m);
    expect(out).not.toContain("menu import");
  });

  it("names its version", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    for (const flag of ["--version", "-V"]) expect(await run(flag)).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  it("reaches every command of the admin function", () => {
    const built = new Set(
      Object.entries(commands).map(([name, { build }]) => {
        const words = ["a", "/dev/null", "c"];
        try {
          const options = { "secret-file": "/dev/null", settings: "/dev/null", shop: "a", title: "b" };
          return build({ words, options }).command;
        } catch {
          // A file that is not JSON: the name is all that is left of it.
          return name.replace(" ", ".").replace("shop.settings", "shop.settings");
        }
      }),
    );
    expect([...built].toSorted()).toEqual([...commandNames].toSorted());
  });

  it.each([
    [["frobnicate"], /^there is no command "frobnicate"\nusage: orderbell <command>\n/],
    [["shop"], /^"shop" is followed by one of create, list, open, close, settings\nusage: orderbell shop <command>\n/],
    [["shop", "frob"], /^there is no command "shop frob"\nusage: orderbell shop <command>\n/],
    [["shop", "crate"], /^there is no command "shop crate"\n\(Did you mean create\?\)\n/],
    [["shpo", "list"], /^there is no command "shpo"\n\(Did you mean shop\?\)\n/],
    [["crate"], /^there is no command "crate"\nusage: orderbell <command>\n/],
    [["strat"], /^there is no command "strat"\n\(Did you mean start\?\)\n/],
    [["toString"], /^there is no command "toString"\n/],
    [["shop", "create"], /^<id> is missing\nusage: orderbell shop create <id> \[--zh <name>\]/],
    [["shop", "create", "x", "--colour", "red"], /^unknown option '--colour'\nusage: orderbell shop create /],
    [["shop", "create", "x", "--zona", "UTC"], /^unknown option '--zona'\n\(Did you mean --zone\?\)\nusage: /],
    [["shop", "list", "--day", "2026-11-21"], /^unknown option '--day'\nusage: orderbell shop list/],
    [["start", "--prot", "1"], /^unknown option '--prot'\n\(Did you mean --port\?\)\nusage: orderbell start /],
    [["shop", "create", "x", "--zh"], /argument missing\nusage: orderbell shop create /],
    [["orders", "x", "2026-11-21"], /^"2026-11-21" is one word too many\nusage: orderbell orders <shop> \[--day /],
    [["sql", "select", "1"], /^"1" is one word too many\nusage: orderbell sql <statement>/],
    [["audit", "x", "y"], /^"y" is one word too many\nusage: orderbell audit \[shop\]/],
    [["app", "add", "wx0123456789abcdee"], /^--secret-file is missing; - reads standard input\nusage: /],
    [["menu", "import", "x", "/there/is/none.json"], /^ENOENT: no such file[\s\S]*\nusage: orderbell menu import /],
  ])("%j is misuse", async (argv, message) => {
    expect(await run(...argv)).toEqual(refused(2, message));
  });

  it("ends the process with 2 on misuse, with 1 on a refusal, with 0 on success", async () => {
    const environment = { ORDERBELL_HOME: home };
    const [misused, denied, done] = await Promise.all([
      orderbell(["frobnicate"], { environment }),
      orderbell(["report", "nowhere"], { environment }),
      orderbell(["shop", "list"], { environment }),
    ]);
    expect(misused).toEqual(refused(2, /^there is no command "frobnicate"/));
    expect(denied).toEqual(refused(1, 'SHOP_UNKNOWN: there is no shop "nowhere"\n'));
    expect([done.code, done.err]).toEqual([0, ""]);
  });
});

describe("a shop", () => {
  it("is created, closed and opened", async () => {
    const settings = await file("settings.json", JSON.stringify({ services: { pickup: true } }));
    expect(
      await answer("shop", "create", shop, "--zh", "面馆", "--en", "Noodle house", "--settings", settings),
    ).toEqual({
      shop,
    });
    const find = async () =>
      (await answer("shop", "list")).shops.find((one: { shop: string }) => one.shop === shop) as { open: boolean };
    expect(await find()).toMatchObject({ shop, names: { zh: "面馆", en: "Noodle house" }, open: false });
    expect(await answer("shop", "open", shop)).toEqual({ shop, open: true });
    expect((await find()).open).toBe(true);
    expect((await http("GET", `/get_shop_info?shop=${shop}`)).body.shop.open).toBe(true);
    expect(await answer("shop", "close", shop)).toEqual({ shop, open: false });
    expect((await http("GET", `/get_shop_info?shop=${shop}`)).body.shop.open).toBe(false);
    await answer("shop", "open", shop);
  });

  it("has settings that a command changes", async () => {
    const path = await file(
      "settings.json",
      JSON.stringify({ services: { table: true, pickup: true }, guests: "take" }),
    );
    expect((await answer("shop", "settings", shop, path)).shop).toBe(shop);
    expect((await http("GET", `/get_shop_info?shop=${shop}`)).body.shop.services.table).toBe(true);
    const broken = await file("broken.json", "{");
    expect(await run("shop", "settings", shop, broken)).toEqual(
      refused(2, /JSON[\s\S]*usage: orderbell shop settings/),
    );
    const wrong = await file("wrong.json", JSON.stringify({ services: {}, guests: "shoot" }));
    expect(await run("shop", "settings", shop, wrong)).toEqual(refused(1, /^INVALID_INPUT: "settings\.guests"/));
  });

  it.each([
    [["shop", "create", shop, "--zh", "又一家"], `INVALID_INPUT: "id": there is a shop "${shop}" already\n`],
    [["shop", "create", "nameless"], 'INVALID_INPUT: "zh": a name in zh or en is needed\n'],
    [["shop", "create", "a b", "--zh", "面"], /^INVALID_INPUT: "id": /],
    [["shop", "create", "far", "--zh", "面", "--zone", "Mars/One"], /^INVALID_INPUT: "zone": is not a time zone/],
    [["shop", "open", "nowhere"], 'SHOP_UNKNOWN: there is no shop "nowhere"\n'],
    [["pair", "nowhere"], 'SHOP_UNKNOWN: there is no shop "nowhere"\n'],
    [["pair", shop, "--role", "boss"], /^INVALID_INPUT: "role": /],
    [["orders", shop, "--day", "today"], 'INVALID_INPUT: "day": a date, such as 2026-11-21\n'],
    [["devices", "end", shop, "01HZZZZZZZZZZZZZZZZZZZZZZZ"], /^DEVICE_UNKNOWN: /],
    [["sessions", "end", "01HZZZZZZZZZZZZZZZZZZZZZZZ"], 'INVALID_INPUT: "id": there is no such session\n'],
    [["keys", "revoke", "01HZZZZZZZZZZZZZZZZZZZZZZZ"], 'INVALID_INPUT: "id": there is no such key\n'],
    [["keys", "add", "crm", "--scopes", "everything"], /^INVALID_INPUT: "scopes\.0": /],
  ])("%j is refused", async (argv, message) => {
    expect(await run(...argv)).toEqual(refused(1, message));
  });
});

describe("a menu", () => {
  it("is imported from JSON and seen over HTTP", async () => {
    const path = await file("menu.json", JSON.stringify(goodMenu));
    expect(await answer("menu", "import", shop, path)).toMatchObject({ shop, categories: 1, dishes: 1 });
    expect(await dishesOf()).toEqual(["beef"]);
  });

  it("is imported from CSV as spreadsheets save it, and seen over HTTP", async () => {
    const rows = [
      "kind,id,zh,en,price,category,description_zh",
      "category,noodles,面,Noodles,,,",
      'dish,beef,牛肉面,"Beef, ""large""",28.5,noodles,"汤好\r\n面劲道"',
      "dish,tofu,豆腐面,,9,noodles,",
    ];
    const path = await file("menu.csv", `\uFEFF${rows.join("\r\n")}\r\n`);
    expect(await answer("menu", "import", shop, path)).toMatchObject({ shop, categories: 1, dishes: 2 });
    const { dishes } = (await http("GET", `/get_shop_info?shop=${shop}`)).body.menu;
    expect(dishes).toMatchObject([
      {
        id: "beef",
        names: { zh: "牛肉面", en: 'Beef, "large"' },
        priceFen: 2_850,
        description: { zh: "汤好\n面劲道" },
      },
      { id: "tofu", priceFen: 900 },
    ]);
  });

  it.each([
    [
      "wrong.json",
      JSON.stringify({ ...goodMenu, dishes: [dish("a", 1), dish("b", -1), dish("c", 0.5)] }, null, 1),
      /^line 26: dishes\.1\.priceFen: [^\n]*\nline 34: dishes\.2\.priceFen: [^\n]*\n$/,
    ],
    ["comma.json", '{\n"categories": [],\n"dishes": [\n{},\n]\n}\n', "line 5: this is not JSON\n"],
    [
      "cells.csv",
      "kind,id,zh\ncategory,noodles,面\ndish,beef\n",
      'line 3: price "" is not an amount in yuan, such as 12.50\n',
    ],
    [
      "rows.csv",
      "kind,id,zh,price,category\ncategory,noodles,面,,\ndish,a,面,1.999,noodles\nfood,b,面,1,noodles\n",
      'line 3: price "1.999" is not an amount in yuan, such as 12.50\nline 4: kind "food" is none of category, dish, option, choice\n',
    ],
    [
      "lost.csv",
      "kind,id,zh,price,category\ncategory,noodles,面,,\ndish,a,面,1,drinks\n",
      'line 3: dish "a": there is no category "drinks"\n',
    ],
    ["empty.csv", "", "line 1: there is no row in this file\n"],
  ])("is refused whole: %s", async (name, text, message) => {
    const before = await dishesOf();
    expect(await run("menu", "import", shop, await file(name, text))).toEqual(refused(1, message));
    expect(await dishesOf()).toEqual(before);
  });

  it("is taken in the encodings that spreadsheets save, and refused in others", async () => {
    const text = "kind,id,zh\ncategory,noodles,面\n";
    const gb = Buffer.concat([
      Buffer.from("kind,id,zh\ncategory,noodles,"),
      Buffer.from([0xc3, 0xe6]),
      Buffer.from("\n"),
    ]);
    const utf16 = Buffer.from(`\uFEFF${text}`, "utf16le");
    for (const [name, bytes] of [
      ["gb.csv", gb],
      ["utf16.csv", utf16],
      ["utf16be.csv", Buffer.from(utf16).swap16()],
    ] as const) {
      await answer("menu", "import", shop, await file(name, bytes));
      const { categories } = (await http("GET", `/get_shop_info?shop=${shop}`)).body.menu;
      expect(categories).toEqual([{ id: "noodles", names: { zh: "面" } }]);
    }
    const latin = Buffer.from("kind,id,en\ncategory,noodles,Caf\xe9 x\n", "latin1");
    expect(await run("menu", "import", shop, await file("latin.csv", latin))).toEqual(
      refused(2, /latin\.csv is neither UTF-8 nor UTF-16 nor GB 2312; save it as UTF-8\n/),
    );
  });
});

describe("staff, sessions and keys", () => {
  it("pairs a device once, lists it, and revokes it with its socket", async () => {
    const { pairingCode, expiresAt } = await answer("pair", shop, "--role", "cashier", "--device", "收银台");
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    const staff = await http("POST", "/login/staff", undefined, { pairingCode });
    expect(staff.body.session).toMatchObject({ kind: "staff", role: "cashier", shop });
    expect((await http("POST", "/login/staff", undefined, { pairingCode })).status).toBe(401);
    const { token } = staff.body.session;
    const { devices } = await answer("devices", "list", shop);
    expect(devices).toMatchObject([{ device: "收银台", role: "cashier" }]);

    const { ticket } = (await http("POST", "/session/ticket", token)).body;
    const socket = await openSocket(`${demo.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
    await socket.resume({ stream: `shop:${shop}` });
    const { connections } = await answer("connections", "list");
    expect(connections).toMatchObject([{ kind: "staff", shop, session: devices[0].id }]);
    expect(await answer("devices", "end", shop, devices[0].id)).toEqual({ ended: devices[0].id });
    expect(await socket.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await socket.closed;
    expect((await http("GET", "/session", token)).body.code).toBe("SESSION_ENDED");
    expect((await answer("devices", "list", shop)).devices).toEqual([]);
  });

  it("pairs a kitchen's device by default", async () => {
    const { pairingCode } = await answer("pair", shop);
    const { body } = await http("POST", "/login/staff", undefined, { pairingCode });
    expect(body.session.role).toBe("kitchen");
    await answer("devices", "end", shop, body.session.id);
  });

  it("asks the running server whatever the environment says, and says so with --verbose", async () => {
    const environment = { ORDERBELL_HOME: home, DATABASE_URL: "postgres://shop:secret@127.0.0.1:1/shop" };
    const { code, out, err } = await within(["shop", "list", "--verbose"], environment);
    expect([code, err]).toEqual([0, `asked the server that runs on ${home}\n`]);
    expect(out).toContain(shop);
  });

  it("lists and ends sessions", async () => {
    const { session, user } = await guest();
    const all = (await answer("sessions", "list")).sessions;
    expect(all.map(({ id }: { id: string }) => id)).toContain(session.id);
    const listed = (await run("sessions", "list", user.id)).out;
    expect(JSON.parse(listed).sessions).toMatchObject([
      { id: session.id, user: user.id, kind: "guest", endedAt: null },
    ]);
    expect(listed).not.toContain(session.token);
    expect(await answer("sessions", "end", session.id)).toEqual({ ended: session.id });
    const again = await http("GET", "/session", session.token);
    expect([again.status, again.body.code]).toEqual([401, "SESSION_ENDED"]);
    expect((await answer("sessions", "list", user.id)).sessions[0].endedAt).not.toBeNull();
    expect((await answer("sessions", "list")).sessions.map(({ id }: { id: string }) => id)).not.toContain(session.id);
  });

  it("closes a socket, whose session lives on", async () => {
    const { session } = await guest();
    const { ticket } = (await http("POST", "/session/ticket", session.token)).body;
    const socket = await openSocket(`${demo.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
    await socket.resume({ stream: `menu:${shop}` });
    const { connections } = await answer("connections", "list");
    const mine = connections.find((one: { session: string }) => one.session === session.id);
    expect(await answer("connections", "close", mine.id)).toEqual({ closed: mine.id });
    await socket.closed;
    expect((await http("GET", "/session", session.token)).status).toBe(200);
  });

  it("makes, lists and revokes keys of other back ends", async () => {
    const { session } = await guest();
    const { id, key } = await answer("keys", "add", "crm", "--scopes", "introspect");
    const ask = () => http("POST", "/introspect", key, new URLSearchParams({ token: session.token }));
    expect((await ask()).body).toMatchObject({ active: true, sid: session.id });
    const listed = (await run("keys", "list")).out;
    expect(JSON.parse(listed).keys).toMatchObject([
      { id, name: "crm", scopes: "introspect", shop: null, revokedAt: null },
    ]);
    expect(listed).not.toContain(key);
    await answer("keys", "revoke", id);
    expect((await ask()).status).toBe(401);
  });

  it("adds a mini-program and renews its secret, from a file or standard input, sealed", async () => {
    const secrets = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"] as const;
    const count = async () => (await run("sql", "select count(*) as apps from wechat_apps")).out;
    const { added } = await answer(
      "app",
      "add",
      "wx00000000000000aa",
      "--secret-file",
      await file("secret", secrets[0]),
    );
    const rows = await count();
    const piped = await orderbell(["app", "add", "wx00000000000000aa", "--secret-file", "-", "--name", "面馆"], {
      environment: { ORDERBELL_HOME: home },
      input: `${secrets[1]}\n`,
    });
    expect(JSON.parse(piped.out)).toEqual({ added });
    expect(await count()).toBe(rows);
    const { out } = await run("sql", "select name, row_to_json(wechat_apps) as it from wechat_apps");
    expect(out).toContain("面馆");
    const all = JSON.stringify(await answer("shop", "list")) + out + piped.out + demo.out();
    for (const secret of [...secrets, "wx00000000000000aa"]) expect(all).not.toContain(secret);
  });
});

describe("the audit", () => {
  const linesOf = async (...argv: string[]) => {
    const { code, out, err } = await run("audit", ...argv);
    expect([code, err]).toEqual([0, ""]);
    return out.trimEnd().split("\n");
  };

  it("says who did what, on the command line and on a device, the newest first", async () => {
    const { pairingCode } = await answer("pair", shop, "--role", "owner", "--device", "till");
    const { session } = (await http("POST", "/login/staff", undefined, { pairingCode })).body;
    await http("PUT", `/shops/${shop}/open`, session.token, { open: false });
    await answer("shop", "open", shop);
    const [opened, closed, paired] = await linesOf(shop, "--limit", "3");
    const at = "^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
    expect(opened).toMatch(new RegExp(`${at}  ${operator()}  ${shop}  open$`));
    expect(closed).toMatch(new RegExp(`${at}  "till" \\(owner\\)  ${shop}  close$`));
    expect(paired).toMatch(new RegExp(`${at}  ${operator()}  ${shop}  pair  role=owner device=till$`));
    const text = (await linesOf()).join("\n");
    for (const secret of [pairingCode, session.token]) expect(text).not.toContain(secret);
    await answer("devices", "end", shop, session.id);
  });

  it("has pages, and what belongs to no shop", async () => {
    const { key } = await answer("keys", "add", "till key", "--scopes", "introspect");
    const { entries, more } = await answer("audit", "--limit", "1", "--json");
    expect([entries, more]).toMatchObject([
      [{ shop: null, action: "keys.add", device: null, operator: operator(), detail: { name: "till key" } }],
      true,
    ]);
    const older = await answer("audit", "--limit", "2", "--before", entries[0].id, "--json");
    expect(older.entries.map(({ id }: { id: string }) => id)).not.toContain(entries[0].id);
    expect(JSON.stringify(await answer("audit", "--json"))).not.toContain(key);
    expect(await linesOf(shop, "--limit", "1")).toContainEqual(
      expect.stringMatching(/^older ones: --before [0-9A-Z]{26}$/),
    );
  });

  it("has no entry of a change that was refused", async () => {
    const before = await linesOf("--limit", "1");
    for (const argv of [
      ["pair", "nowhere"],
      ["keys", "add", "x", "--scopes", "introspect", "--shop", "nowhere"],
      ["shop", "create", shop, "--zh", "又一家"],
      ["sessions", "end", "01HZZZZZZZZZZZZZZZZZZZZZZZ"],
      ["webhook", "add", "https://biz.example.com/", "--types", "nothing"],
    ])
      expect((await run(...argv)).code).toBe(1);
    expect(await linesOf("--limit", "1")).toEqual(before);
    expect(await run("audit", "nowhere")).toEqual(refused(1, 'SHOP_UNKNOWN: there is no shop "nowhere"\n'));
  });
});

describe("the orders of a day", () => {
  const label = '=HYPERLINK("//x","大厅"),+1';

  it("are a table that a spreadsheet reads as text", async () => {
    const { tables } = await answer("tables", "add", shop, label, "5");
    expect((await answer("tables", "list", shop)).tables).toHaveLength(2);
    await answer("menu", "import", shop, await file("menu.json", JSON.stringify(goodMenu)));
    const { session } = await guest();
    const place = (more: object) =>
      http("POST", "/bill", session.token, { shop, lines: [{ dish: "beef", quantity: 2 }], ...more }, newKey());
    const placed = [
      await place({ service: "table", table: tables[0].token, note: "=1+1" }),
      await place({ service: "pickup" }),
    ];
    expect(placed.map(({ status }) => status)).toEqual([201, 201]);

    const { out, code } = await run("orders", shop);
    expect(code).toBe(0);
    expect(out.startsWith("\uFEFFday,number,id,")).toBe(true);
    const rows: Record<string, string>[] = parse(out, { columns: true, bom: true });
    expect(rows.map((row) => row.id).toSorted()).toEqual(placed.map(({ body }) => body.order.id).toSorted());
    const table = rows.find((row) => row.service === "table") ?? {};
    expect(table).toMatchObject({ table: `'${label}`, totalFen: "5600", status: "placed", payment: "unpaid" });
    // No cell begins as a formula does.
    for (const row of rows) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    expect(out).not.toContain("=1+1");

    const day = table.day as string;
    expect((await run("orders", shop, "--day", day)).out).toBe(out);
    const other: Record<string, string>[] = parse((await run("orders", shop, "--day", "2020-02-29")).out, {
      columns: true,
      bom: true,
    });
    expect(other).toEqual([]);
    expect(await answer("report", shop, "--day", day)).toMatchObject({
      shop,
      day,
      orders: 2,
      totalFen: 11_200,
      dishes: [{ dish: "beef", quantity: 4 }],
    });
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("make %j harmless", (cell) => {
    const [row = []] = parse(csv(["a", "b"], [[cell, "x"]]), { bom: true, from_line: 2 }) as string[][];
    expect(row).toEqual([`'${cell}`, "x"]);
  });

  it("keep what a table may hold", () => {
    const cells = ["a,b", 'say "面"', "two\nlines", "two\r\nlines", " 空格 ", "", "面＝好", "1=1", "🍜"];
    const [row] = parse(csv(["a"], [cells]), { bom: true, from_line: 2, relax_column_count: true }) as string[][];
    expect(row).toEqual(cells);
    expect(csv(["a", "b"], [[-5, null]])).toBe("\uFEFFa,b\r\n-5,\r\n");
  });
});

describe("sql", () => {
  it("shows rows in columns", async () => {
    const { code, out } = await run(
      "sql",
      `select id, currency.unit from shops, (values ('fen')) as currency(unit) where id = '${shop}'`,
    );
    expect([code, out]).toEqual([0, `id            unit\n${shop}  fen\n`]);
    expect((await run("sql", "select 1 where false")).out).toBe("no rows\n");
  });

  it.each([
    "delete from shops",
    "insert into shops (id) values ('x')",
    "update shops set open = 0",
    "drop table shops",
    "truncate orders",
    "with gone as (delete from shops returning id) select * from gone",
    "explain analyze delete from shops",
    "select 1; delete from shops",
    "select 1; commit; delete from shops",
    "select * from shops for update",
    "select * into copy from shops",
    "select set_config('default_transaction_read_only', 'on', false)",
    "SELECT Set_Config('search_path', 'nowhere', false)",
    "set search_path to nowhere",
    "commit",
    "copy shops to '/dev/null'",
  ])("refuses %j and changes nothing", async (statement) => {
    // Whether a screen is there changes by itself: the kitchens of the tests before fall silent.
    const shops = async () => (await answer("shop", "list")).shops.map((one: object) => ({ ...one, live: undefined }));
    const state = async () => [await shops(), (await run("orders", shop)).out];
    const before = await state();
    expect(await run("sql", statement)).toEqual(refused(1, /^INVALID_INPUT: /));
    expect(await state()).toEqual(before);
  });

  it("names the error in a statement, and leaves the server able to write", async () => {
    expect(await run("sql", "select nothing from nowhere")).toEqual(
      refused(1, /^INVALID_INPUT: relation "nowhere" does not exist\n$/),
    );
    expect(await answer("shop", "close", shop)).toEqual({ shop, open: false });
    expect(await answer("shop", "open", shop)).toEqual({ shop, open: true });
  });
});

describe("tail", () => {
  it("shows what was logged and follows, without secrets, until the server ends", async () => {
    const tail = launch(["tail"], { environment: { ORDERBELL_HOME: home } });
    await tail.printed(/"event":"admin","command":"shop\.create"/);
    const { session } = await guest();
    const order = await http(
      "POST",
      "/bill",
      session.token,
      { shop, lines: [{ dish: "beef", quantity: 1 }], service: "pickup", note: "少放辣" },
      newKey(),
    );
    const line = await tail.printed(new RegExp(`^.*"route":"POST /bill".*${order.body.order.id}.*(?=\\n)`, "m"));
    expect(JSON.parse(line[0])).toMatchObject({ event: "request", status: 201, order: order.body.order.id, shop });
    for (const secret of [session.token, "少放辣", demo.pairingCode]) expect(tail.out()).not.toContain(secret);
    note(tail.out());
    expect(await demo.kill("SIGTERM")).toBe(0);
    expect(await tail.ended).toBe(0);
  });

  it("says that no server runs", async () => {
    expect(await run("tail")).toEqual(refused(1, "no server runs here; start one with `npm start`\n"));
  });
});

it("says which port is taken, and which to try", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const refusal = refused(1, `another program listens at 127.0.0.1:${port} (EADDRINUSE); try --port ${port + 1}\n`);
  expect(await run("mock", "--port", String(port))).toEqual(refusal);
  server.close();
});

describe("without a server", () => {
  it("says with --verbose that none runs, and what it uses", async () => {
    const { code, err } = await run("shop", "list", "--verbose");
    expect([code, err]).toEqual([0, `no server runs on ${home}; using the embedded database in ${home}\n`]);
  });

  it("works on the folder's database", async () => {
    expect((await answer("shop", "list")).shops).toHaveLength(3);
    const menu = { ...goodMenu, dishes: [dish("beef", 2_900), dish("lamb", 3_200)] };
    expect(await answer("menu", "import", shop, await file("menu.json", JSON.stringify(menu)))).toMatchObject({
      dishes: 2,
    });
    expect((await answer("pair", shop)).pairingCode).toMatch(/^[A-Z0-9-]+$/);
    expect((await run("sql", "select count(*) as n from shops")).out).toBe("n\n3\n");
    expect(await run("sql", "delete from shops")).toEqual(refused(1, /^INVALID_INPUT/));
    expect(await run("init-db")).toEqual({ code: 0, out: "the tables are up to date\n", err: "" });
  });

  it("says that there is no database yet, and creates none", async () => {
    const empty = await newHome();
    const { code, out, err } = await orderbell(["shop", "list"], { cwd: empty });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe("there is no database yet: run `npm start` once, or set DATABASE_URL\n");
    expect(await within(["tail"], { ORDERBELL_HOME: join(empty, "none") })).toEqual(refused(1, /^no server runs here/));
  });
});

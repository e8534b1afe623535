/** The words of the command line → a call of the `admin` function, and its answer → text. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { AdminEvent } from "../functions/admin.ts";

interface Command {
  readonly usage: string;
  readonly help: string;
  /** @throws Misused */
  build(args: Args): AdminEvent;
  /** Default: the answer as indented JSON. */
  print?(answer: unknown): string;
}

interface Args {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** The words do not fit; the message is the usage. */
export class Misused extends Error {
  override readonly name = "Misused";
}

const event = (command: string, args: object): AdminEvent => ({
  command,
  args: Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)),
});

const word = ({ words }: Args, at: number, what: string): string => {
  const found = words[at];
  if (found === undefined) throw new Misused(`<${what}> is missing`);
  return found;
};

/** A file's text; `-` is standard input, so that a secret need not stand in the command. */
function fileText(path: string): string {
  const bytes = readFileSync(path === "-" ? 0 : path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Spreadsheets like to save in the encoding of their country; what they wrote would become question marks.
    throw new Misused(`${path} is not UTF-8; save it as UTF-8`);
  }
}

const csv = (answer: unknown) => (answer as { csv: string }).csv;

/** In the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  "shop create": {
    usage: "<id> [--zh name] [--en name] [--zone Asia/Shanghai] [--settings file.json]",
    help: "make a shop, closed, with an empty menu",
    build: (args) => {
      const { zh, en, zone, settings } = args.options;
      const read = settings === undefined ? undefined : JSON.parse(fileText(settings));
      return event("shop.create", { id: word(args, 0, "id"), zh, en, zone, settings: read });
    },
  },
  "shop list": { usage: "", help: "all shops", build: () => event("shop.list", {}) },
  "shop open": {
    usage: "<shop>",
    help: "open for business",
    build: (args) => event("shop.open", { shop: word(args, 0, "shop"), open: true }),
  },
  "shop close": {
    usage: "<shop>",
    help: "close",
    build: (args) => event("shop.open", { shop: word(args, 0, "shop"), open: false }),
  },
  "shop settings": {
    usage: "<shop> <file.json>",
    help: "services, fees, escalation, guests, limits",
    build: (args) =>
      event("shop.settings", { shop: word(args, 0, "shop"), settings: JSON.parse(fileText(word(args, 1, "file"))) }),
  },
  "menu import": {
    usage: "<shop> <file.json|file.csv>",
    help: "replace the menu, all or nothing",
    build: (args) => {
      const path = word(args, 1, "file");
      const format = path.endsWith(".csv") ? "csv" : "json";
      return event("menu.import", { shop: word(args, 0, "shop"), format, text: fileText(path) });
    },
  },
  "tables add": {
    usage: "<shop> <label> [label …]",
    help: "tables with a random code each",
    build: (args) =>
      event("tables.add", { shop: word(args, 0, "shop"), labels: [word(args, 1, "label"), ...args.words.slice(2)] }),
  },
  "tables list": {
    usage: "<shop>",
    help: "tables and their codes",
    build: (args) => event("tables.list", { shop: word(args, 0, "shop") }),
  },
  "app add": {
    usage: "<appid> --secret-file <file|-> [--name name]",
    help: "add a mini-program, or renew its secret",
    build: (args) => {
      const { "secret-file": path, name } = args.options;
      if (path === undefined) throw new Misused("--secret-file is missing; - reads standard input");
      return event("app.add", { appid: word(args, 0, "appid"), secret: fileText(path).trim(), name });
    },
  },
  pair: {
    usage: "<shop> [--role owner|cashier|kitchen] [--device name]",
    help: "a one-time code for a staff device",
    build: (args) =>
      event("pair", { shop: word(args, 0, "shop"), role: args.options.role ?? "kitchen", device: args.options.device }),
  },
  "devices list": {
    usage: "<shop>",
    help: "staff devices",
    build: (args) => event("devices.list", { shop: word(args, 0, "shop") }),
  },
  "devices end": {
    usage: "<shop> <device>",
    help: "revoke a device",
    build: (args) => event("devices.end", { shop: word(args, 0, "shop"), device: word(args, 1, "device") }),
  },
  "sessions list": {
    usage: "[user]",
    help: "live sessions, or all of one user",
    build: ({ words }) => event("sessions.list", { user: words[0] }),
  },
  "sessions end": {
    usage: "<session>",
    help: "end a session",
    build: (args) => event("sessions.end", { id: word(args, 0, "session") }),
  },
  "connections list": { usage: "", help: "sockets, newest first", build: () => event("connections.list", {}) },
  "connections close": {
    usage: "<connection>",
    help: "close a socket",
    build: (args) => event("connections.close", { id: word(args, 0, "connection") }),
  },
  "keys add": {
    usage: "<name> --scopes introspect,notify [--shop id]",
    help: "a key for another back end",
    build: (args) =>
      event("keys.add", {
        name: word(args, 0, "name"),
        scopes: (args.options.scopes ?? "").split(","),
        shop: args.options.shop,
      }),
  },
  "keys list": { usage: "", help: "keys of other back ends", build: () => event("keys.list", {}) },
  "keys revoke": {
    usage: "<key>",
    help: "revoke a key",
    build: (args) => event("keys.revoke", { id: word(args, 0, "key") }),
  },
  orders: {
    usage: "<shop> [--day 2026-11-21]",
    help: "the orders of a day as CSV",
    build: (args) => event("orders", { shop: word(args, 0, "shop"), day: args.options.day }),
    print: csv,
  },
  report: {
    usage: "<shop> [--day 2026-11-21]",
    help: "a day in figures",
    build: (args) => event("report", { shop: word(args, 0, "shop"), day: args.options.day }),
  },
  sql: {
    usage: '"select …"',
    help: "look into the embedded database, reading only",
    build: (args) => event("sql", { text: word(args, 0, "statement") }),
    print: (answer) => table((answer as { rows: Record<string, unknown>[] }).rows),
  },
};

/** What a command takes stands in its usage: `<word>`, `[word]`, `--option`. */
const optionsIn = (usage: string) => [...usage.matchAll(/--([a-z-]+)/g)].map(([, name = ""]) => name);

function placesIn(usage: string): number {
  if (/…\]/.test(usage)) return Number.POSITIVE_INFINITY;
  const words = usage.replace(/\[--[^\]]*\]|--\S+ \S+/g, "");
  return [...words.matchAll(/<[^>]+>|\[[^\]]+\]|"[^"]+"/g)].length;
}

/** @returns undefined when the words are no command of these @throws Misused */
export function commandOf(
  argv: readonly string[],
): { event: AdminEvent; print: (answer: unknown) => string } | undefined {
  const name = [argv.slice(0, 2).join(" "), argv[0] ?? ""].find((one) => Object.hasOwn(commands, one));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || command === undefined) return undefined;
  try {
    const { values, positionals } = parseArgs({
      args: argv.slice(name.split(" ").length),
      options: Object.fromEntries(optionsIn(command.usage).map((option) => [option, { type: "string" as const }])),
      allowPositionals: true,
      strict: true,
    });
    const tooMany = positionals[placesIn(command.usage)];
    if (tooMany !== undefined) throw new Misused(`"${tooMany}" is one word too many`);
    const built = command.build({ words: positionals, options: values as Record<string, string | undefined> });
    return { event: built, print: command.print ?? ((answer) => `${JSON.stringify(answer, null, 2)}\n`) };
  } catch (error) {
    throw new Misused(`${(error as Error).message}\nusage: orderbell ${name} ${command.usage}`);
  }
}

/** Rows as aligned columns. */
function table(rows: readonly Record<string, unknown>[]): string {
  const [first] = rows;
  if (first === undefined) return "no rows\n";
  const columns = Object.keys(first);
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? "")))];
  const widths = columns.map((_, at) => Math.min(60, Math.max(...cells.map((row) => row[at]?.length ?? 0))));
  return cells
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.slice(0, 60).padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

export function help(): string {
  const lines = Object.entries(commands).map(([name, { usage, help: what }]) => [`${name} ${usage}`, what] as const);
  const all = [
    ["start [--port 8787] [--lan] [--tls]", "the demo: embedded database, two shops, stand-in WeChat"],
    ["serve", "the server; needs DATABASE_URL and SIGNING_KEY, and WECHAT_KEY for WeChat"],
    ["init-db", "bring the database's tables up to date"],
    ...lines,
    ["tail", "follow the log of the running server"],
    ["mock [--port 8788] [--gateway url --route …]", "answer routes from the examples in openapi.yaml"],
  ] as const;
  const width = Math.max(...all.map(([left]) => left.length));
  return `orderbell: an order is placed, the kitchen's bell rings, always.\nWith --stage <name> [--region r] [--profile p] a command goes to that stage in the cloud, with your own AWS credentials.\n\n${all.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")}\n`;
}

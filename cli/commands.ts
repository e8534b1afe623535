/** Commands: turns arguments of the command line into a call of the `admin` function, and its answer into text. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";
import { type ChannelLogPrinter, channelLogPrinter } from "./channel_log.ts";
import { type Ask, exportLines, importLines, type Output } from "./collection_commands.ts";

interface Command {
  readonly usage: string;
  readonly help: string;
  /** @throws UsageError */
  build(args: Args): AdminEvent;
  /** Default: the answer as indented JSON. */
  print?(answer: unknown): string;
  /** For a command of many calls: makes them, beginning with what `build` gave. */
  calls?(first: AdminEvent, args: Args, ask: Ask, output: Output): Promise<AdminAnswer>;
  /** For an answer that can be followed: prints what is new in it, and says whether more comes. */
  printer?(): ChannelLogPrinter;
}

interface Args {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | undefined>>;
  /** Options without a value. */
  readonly flags?: ReadonlySet<string>;
}

/** The arguments do not fit a command; the message holds the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const event = (command: string, args: object): AdminEvent => ({
  command,
  args: Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)),
});

const argument = ({ words }: Args, at: number, what: string): string => {
  const found = words[at];
  if (found === undefined) throw new UsageError(`<${what}> is missing`);
  return found;
};

/**
 * Reads a file's text; `-` is standard input, so that a secret need not be an argument. UTF-8, UTF-16 with a byte order mark
 * (Excel's "Unicode text"), or GB 2312 (spreadsheets in China).
 */
function fileText(path: string): string {
  const bytes = readFileSync(path === "-" ? 0 : path);
  const marked =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(marked, { fatal: true }).decode(bytes);
  } catch {
    // Characters of two high bytes: Western encodings do not look like that.
    if (/^(?:[\0-\x7f]|[\xa1-\xf7][\xa1-\xfe])*$/.test(bytes.toString("latin1")))
      return new TextDecoder("gb18030", { fatal: true }).decode(bytes);
    throw new UsageError(`${path} is neither UTF-8 nor UTF-16 nor GB 2312; save it as UTF-8`);
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
      return event("shop.create", { id: argument(args, 0, "id"), zh, en, zone, settings: read });
    },
  },
  doctor: {
    usage: "",
    help: "the database's health; with --stage also limits, TLS, clocks, and a socket that is pushed to",
    build: () => event("doctor", {}),
  },
  "shop list": { usage: "", help: "all shops", build: () => event("shop.list", {}) },
  "shop open": {
    usage: "<shop>",
    help: "open for business",
    build: (args) => event("shop.open", { shop: argument(args, 0, "shop"), open: true }),
  },
  "shop close": {
    usage: "<shop>",
    help: "close",
    build: (args) => event("shop.open", { shop: argument(args, 0, "shop"), open: false }),
  },
  "shop settings": {
    usage: "<shop> <file.json>",
    help: "services, fees, escalation, guests, limits",
    build: (args) =>
      event("shop.settings", {
        shop: argument(args, 0, "shop"),
        settings: JSON.parse(fileText(argument(args, 1, "file"))),
      }),
  },
  "menu import": {
    usage: "<shop> <file.json|file.csv>",
    help: "replace the menu, all or nothing",
    build: (args) => {
      const path = argument(args, 1, "file");
      const format = path.endsWith(".csv") ? "csv" : "json";
      return event("menu.import", { shop: argument(args, 0, "shop"), format, text: fileText(path) });
    },
  },
  "tables add": {
    usage: "<shop> <label> [label …]",
    help: "tables with a random code each",
    build: (args) =>
      event("tables.add", {
        shop: argument(args, 0, "shop"),
        labels: [argument(args, 1, "label"), ...args.words.slice(2)],
      }),
  },
  "tables list": {
    usage: "<shop>",
    help: "tables and their codes",
    build: (args) => event("tables.list", { shop: argument(args, 0, "shop") }),
  },
  "app add": {
    usage: "<appid> --secret-file <file|-> [--name name]",
    help: "add a mini-program, or renew its secret",
    build: (args) => {
      const { "secret-file": path, name } = args.options;
      if (path === undefined) throw new UsageError("--secret-file is missing; - reads standard input");
      return event("app.add", { appid: argument(args, 0, "appid"), secret: fileText(path).trim(), name });
    },
  },
  pair: {
    usage: "<shop> [--role owner|cashier|kitchen] [--device name]",
    help: "a one-time code for a staff device",
    build: (args) =>
      event("pair", {
        shop: argument(args, 0, "shop"),
        role: args.options.role ?? "kitchen",
        device: args.options.device,
      }),
  },
  "devices list": {
    usage: "<shop>",
    help: "staff devices",
    build: (args) => event("devices.list", { shop: argument(args, 0, "shop") }),
  },
  "devices end": {
    usage: "<shop> <device>",
    help: "revoke a device",
    build: (args) => event("devices.end", { shop: argument(args, 0, "shop"), device: argument(args, 1, "device") }),
  },
  "sessions list": {
    usage: "[user]",
    help: "live sessions, or all of one user",
    build: ({ words }) => event("sessions.list", { user: words[0] }),
  },
  "sessions end": {
    usage: "<session>",
    help: "end a session",
    build: (args) => event("sessions.end", { id: argument(args, 0, "session") }),
  },
  "connections list": { usage: "", help: "sockets, newest first", build: () => event("connections.list", {}) },
  "connections close": {
    usage: "<connection>",
    help: "close a socket",
    build: (args) => event("connections.close", { id: argument(args, 0, "connection") }),
  },
  "channel add": {
    usage: "--host <host> [--key-file file|-] [--receive-url http://10.0.0.5:5757] [--keep-bodies]",
    help: "a business server with an SDK of Wafer; its key is made if none is given",
    build: (args) => {
      const { host, "key-file": path, "receive-url": receiveUrl } = args.options;
      if (host === undefined)
        throw new UsageError("--host is missing: as the business server's configuration writes it");
      const key = path === undefined ? undefined : fileText(path).trim();
      return event("channel.add", { host, key, receiveUrl, keepBodies: args.flags?.has("keep-bodies") });
    },
  },
  "channel list": {
    usage: "",
    help: "business servers, and how many tunnels each has",
    build: () => event("channel.list", {}),
  },
  "channel remove": {
    usage: "<host|channel>",
    help: "end a business server's channel and its tunnels",
    build: (args) => event("channel.remove", { host: argument(args, 0, "host") }),
  },
  "channel log": {
    usage: "<tunnel|connection> [--follow] [--bodies]",
    help: "what happened to a tunnel in the last hour",
    build: (args) => event("channel.log", { tunnel: argument(args, 0, "tunnel"), bodies: args.flags?.has("bodies") }),
    printer: channelLogPrinter,
  },
  "keys add": {
    usage: "<name> --scopes introspect,notify,sessions,publish,collections,collections:admin [--shop id]",
    help: "a key for another back end",
    build: (args) =>
      event("keys.add", {
        name: argument(args, 0, "name"),
        scopes: (args.options.scopes ?? "").split(","),
        shop: args.options.shop,
      }),
  },
  "keys list": { usage: "", help: "keys of other back ends", build: () => event("keys.list", {}) },
  "keys revoke": {
    usage: "<key>",
    help: "revoke a key",
    build: (args) => event("keys.revoke", { id: argument(args, 0, "key") }),
  },
  "webhook add": {
    usage: "<url> [--shop id] [--types order,notification]",
    help: "send events to a business server; prints the secret of its signatures",
    build: (args) =>
      event("webhook.add", {
        url: argument(args, 0, "url"),
        shop: args.options.shop,
        types: args.options.types?.split(",").map((type) => type.trim()),
      }),
  },
  "webhook list": { usage: "", help: "webhooks, and what waits or is dead", build: () => event("webhook.list", {}) },
  "webhook remove": {
    usage: "<webhook>",
    help: "send nothing more to it",
    build: (args) => event("webhook.remove", { webhook: argument(args, 0, "webhook") }),
  },
  "webhook replay": {
    usage: "<webhook> [--stream name] [--from number]",
    help: "go on with dead streams, or send events of a stream again",
    build: (args) => {
      const { stream, from } = args.options;
      return event("webhook.replay", {
        webhook: argument(args, 0, "webhook"),
        stream,
        from: from === undefined ? undefined : Number(from),
      });
    },
  },
  "webhook test": {
    usage: "<webhook>",
    help: "send one event that means nothing, and show the answer",
    build: (args) => event("webhook.test", { webhook: argument(args, 0, "webhook") }),
  },
  "collections list": {
    usage: "",
    help: "collections: permission, indexes, how many documents",
    build: () => event("collections.list", {}),
  },
  "collections export": {
    usage: "<collection>",
    help: "all documents, one JSON a line",
    build: (args) => event("collections.export", { collection: argument(args, 0, "collection") }),
    calls: (first, _, ask, output) => exportLines(first, ask, output),
    print: () => "",
  },
  "collections import": {
    usage: "<collection> <file.jsonl|-> [--replace]",
    help: "add documents, one JSON a line, all or nothing; --replace takes the others out",
    build: (args) => {
      argument(args, 1, "file");
      const replace = args.flags?.has("replace") || undefined;
      return event("collections.import", { collection: argument(args, 0, "collection"), replace });
    },
    calls: (first, args, ask) => importLines(first, argument(args, 1, "file"), ask),
  },
  orders: {
    usage: "<shop> [--day 2026-11-21]",
    help: "the orders of a day as CSV",
    build: (args) => event("orders", { shop: argument(args, 0, "shop"), day: args.options.day }),
    print: csv,
  },
  report: {
    usage: "<shop> [--day 2026-11-21]",
    help: "a day in figures",
    build: (args) => event("report", { shop: argument(args, 0, "shop"), day: args.options.day }),
  },
  sql: {
    usage: '"select …"',
    help: "look into the embedded database, reading only",
    build: (args) => event("sql", { text: argument(args, 0, "statement") }),
    print: (answer) => table((answer as { rows: Record<string, unknown>[] }).rows),
  },
};

/** The options in a usage; it is also what the arguments are checked against: `<word>`, `[word]`, `--option`. */
const optionsIn = (usage: string) =>
  [...usage.matchAll(/--([a-z-]+)(\])?/g)].map(
    ([, name = "", end]) => [name, { type: end === undefined ? "string" : "boolean" }] as const,
  );

function maxArguments(usage: string): number {
  if (/…\]/.test(usage)) return Number.POSITIVE_INFINITY;
  const words = usage.replace(/\[--[^\]]*\]|--\S+ \S+/g, "");
  return [...words.matchAll(/<[^>]+>|\[[^\]]+\]|"[^"]+"/g)].length;
}

export interface ParsedCommand {
  readonly event: AdminEvent;
  /** Of a command of many calls. */
  readonly calls: ((ask: Ask, output: Output) => Promise<AdminAnswer>) | undefined;
  readonly print: (answer: unknown) => string;
  /** Of a command that follows: whether it is to be asked again. */
  readonly goesOn: ((answer: unknown) => boolean) | undefined;
}

/** @returns undefined when the arguments are none of these commands @throws UsageError */
export function parseCommand(argv: readonly string[]): ParsedCommand | undefined {
  const name = [argv.slice(0, 2).join(" "), argv[0] ?? ""].find((one) => Object.hasOwn(commands, one));
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined || command === undefined) return undefined;
  try {
    const { values, positionals } = parseArgs({
      args: argv.slice(name.split(" ").length),
      options: Object.fromEntries(optionsIn(command.usage)),
      allowPositionals: true,
      strict: true,
    });
    const tooMany = positionals[maxArguments(command.usage)];
    if (tooMany !== undefined) throw new UsageError(`"${tooMany}" is one word too many`);
    const flags = new Set(Object.keys(values).filter((option) => values[option] === true));
    const options = values as Record<string, string | undefined>;
    const args = { words: positionals, options, flags };
    const built = command.build(args);
    const printer = command.printer?.();
    return {
      event: built,
      calls: callsOf(command, built, args),
      print: printer?.print ?? command.print ?? ((answer) => `${JSON.stringify(answer, null, 2)}\n`),
      goesOn: flags.has("follow") ? printer?.goesOn : undefined,
    };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nusage: orderbell ${name} ${command.usage}`);
  }
}

function callsOf({ calls }: Command, first: AdminEvent, args: Args): ParsedCommand["calls"] {
  return calls === undefined ? undefined : (ask, output) => calls(first, args, ask, output);
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
    ["serve [--only session]", "the server; needs DATABASE_URL and SIGNING_KEY, and WECHAT_KEY for WeChat"],
    ["init-db", "bring the database's tables up to date"],
    ...lines,
    ["tail", "follow the log of the running server"],
    ["mock [--port 8788] [--gateway url --route …]", "answer routes from the examples in openapi.yaml"],
  ] as const;
  const width = Math.max(...all.map(([left]) => left.length));
  return `orderbell: an order is placed, the kitchen's bell rings, always.\nWith --stage <name> [--region r] [--profile p] a command goes to that stage in the cloud, with your own AWS credentials.\n\n${all.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join("\n")}\n`;
}

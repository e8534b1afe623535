/** Commands: turns arguments of the command line into a call of the `admin` function, and its answer into text. */
import { readFileSync } from "node:fs";
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";
import { scopes } from "../shared/sessions/api_key.ts";
import { addFilm, type FilmToAdd } from "./add_film.ts";
import { printAudit } from "./audit_entries.ts";
import { type ChannelLogPrinter, channelLogPrinter } from "./channel_log.ts";
import { type Ask, exportLines, importLines, type Output } from "./collection_commands.ts";
import type { Reach } from "./reach_admin.ts";
import { UsageError } from "./usage_error.ts";
import { printStory, why } from "./why.ts";

export interface Command {
  /** Its arguments, such as `<shop> [file]`. */
  readonly words: string;
  /** Flags, such as `--name <name>`, with what they mean. */
  readonly options?: Readonly<Record<string, string>>;
  readonly help: string;
  /** @throws UsageError */
  build(args: Args): AdminEvent;
  /** Default: the answer as indented JSON. */
  print?(answer: unknown): string;
  /** For people at a terminal: what to do next. */
  next?(answer: unknown): string;
  /** For a command of many calls: makes them, beginning with what `build` gave. */
  calls?(first: AdminEvent, args: Args, ask: Ask, output: Output, reach: Reach): Promise<AdminAnswer>;
  /** For an answer that can be followed: prints what is new in it, and says whether more comes. */
  printer?(): ChannelLogPrinter;
}

export interface Args {
  readonly words: readonly string[];
  /** By their long names, without dashes. */
  readonly options: Readonly<Record<string, string | undefined>>;
  /** Options without a value. */
  readonly flags?: ReadonlySet<string>;
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

/** A shop is made closed and empty. */
const nextSteps = (shop: string) => `next:
  npx orderbell menu import ${shop} menu.csv      its columns: docs/menu.md
  npx orderbell pair ${shop} --role owner         then open /owner#pair=<the code> on the server's address
  npx orderbell pair ${shop} --role kitchen       then /kitchen#pair=<the code> on the kitchen's screen
  npx orderbell shop open ${shop}
customers order at /?shop=${shop}`;

/** @throws UsageError */
function filmOf(args: Args): FilmToAdd {
  const { shop, title, seconds, poster, hls, url = "http://127.0.0.1:8787" } = args.options;
  if (shop === undefined) throw new UsageError("--shop is missing");
  if (title === undefined) throw new UsageError("--title is missing");
  if (seconds !== undefined && !(Number(seconds) > 0)) throw new UsageError("--seconds is no length");
  const length = seconds === undefined ? undefined : Number(seconds);
  return { file: argument(args, 0, "file"), shop, title, seconds: length, poster, hls, url };
}

const csv = (answer: unknown) => (answer as { csv: string }).csv;

/** In the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  "shop create": {
    words: "<id>",
    options: {
      "--zh <name>": "its name in Chinese",
      "--en <name>": "its name in English; one of the two is needed",
      "--zone <zone>": "its time zone; Asia/Shanghai if none is given",
      "--settings <file>": "JSON: services, fees, escalation, guests, limits",
    },
    help: "make a shop, closed, with an empty menu",
    build: (args) => {
      const { zh, en, zone, settings } = args.options;
      const read = settings === undefined ? undefined : JSON.parse(fileText(settings));
      return event("shop.create", { id: argument(args, 0, "id"), zh, en, zone, settings: read });
    },
    next: (answer) => nextSteps((answer as { shop: string }).shop),
  },
  doctor: {
    words: "",
    help: "the database's health; with --stage also limits, TLS, clocks, and a socket that is pushed to",
    build: () => event("doctor", {}),
  },
  "shop list": { words: "", help: "all shops", build: () => event("shop.list", {}) },
  "shop open": {
    words: "<shop>",
    help: "open for business",
    build: (args) => event("shop.open", { shop: argument(args, 0, "shop"), open: true }),
  },
  "shop close": {
    words: "<shop>",
    help: "close",
    build: (args) => event("shop.open", { shop: argument(args, 0, "shop"), open: false }),
  },
  "shop settings": {
    words: "<shop> <file>",
    help: "services, fees, escalation, guests, limits, from a JSON file",
    build: (args) =>
      event("shop.settings", {
        shop: argument(args, 0, "shop"),
        settings: JSON.parse(fileText(argument(args, 1, "file"))),
      }),
  },
  "menu import": {
    words: "<shop> <file>",
    help: "replace the menu by a .json or .csv file, all or nothing",
    build: (args) => {
      const path = argument(args, 1, "file");
      const format = path.endsWith(".csv") ? "csv" : "json";
      return event("menu.import", { shop: argument(args, 0, "shop"), format, text: fileText(path) });
    },
  },
  "tables add": {
    words: "<shop> <label...>",
    help: "tables with a random code each",
    build: (args) =>
      event("tables.add", {
        shop: argument(args, 0, "shop"),
        labels: [argument(args, 1, "label"), ...args.words.slice(2)],
      }),
  },
  "tables list": {
    words: "<shop>",
    help: "tables and their codes",
    build: (args) => event("tables.list", { shop: argument(args, 0, "shop") }),
  },
  "app add": {
    words: "<appid>",
    options: {
      "--secret-file <file>": "the secret; - reads standard input",
      "--name <name>": "a name for the list",
    },
    help: "add a mini-program, or renew its secret",
    build: (args) => {
      const { "secret-file": path, name } = args.options;
      if (path === undefined) throw new UsageError("--secret-file is missing; - reads standard input");
      return event("app.add", { appid: argument(args, 0, "appid"), secret: fileText(path).trim(), name });
    },
  },
  pair: {
    words: "<shop>",
    options: {
      "--role <role>": "owner, cashier or kitchen; kitchen if none is given",
      "--device <name>": "a name for the list of devices",
    },
    help: "a one-time code for a staff device",
    build: (args) =>
      event("pair", {
        shop: argument(args, 0, "shop"),
        role: args.options.role ?? "kitchen",
        device: args.options.device,
      }),
  },
  "devices list": {
    words: "<shop>",
    help: "staff devices",
    build: (args) => event("devices.list", { shop: argument(args, 0, "shop") }),
  },
  "devices end": {
    words: "<shop> <device>",
    help: "revoke a device",
    build: (args) => event("devices.end", { shop: argument(args, 0, "shop"), device: argument(args, 1, "device") }),
  },
  "sessions list": {
    words: "[user]",
    help: "live sessions, or all of one user",
    build: ({ words }) => event("sessions.list", { user: words[0] }),
  },
  "sessions end": {
    words: "<session>",
    help: "end a session",
    build: (args) => event("sessions.end", { id: argument(args, 0, "session") }),
  },
  "connections list": { words: "", help: "sockets, newest first", build: () => event("connections.list", {}) },
  "connections close": {
    words: "<connection>",
    help: "close a socket",
    build: (args) => event("connections.close", { id: argument(args, 0, "connection") }),
  },
  "channel add": {
    words: "",
    options: {
      "--host <host>": "as the business server's configuration writes it",
      "--key-file <file>": "its key; - reads standard input",
      "--receive-url <url>": "where its callbacks go, such as http://10.0.0.5:5757",
      "--keep-bodies": "keep what is said, for `channel log --bodies`",
    },
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
    words: "",
    help: "business servers, and how many tunnels each has",
    build: () => event("channel.list", {}),
  },
  "channel remove": {
    words: "<host|channel>",
    help: "end a business server's channel and its tunnels",
    build: (args) => event("channel.remove", { host: argument(args, 0, "host") }),
  },
  "channel log": {
    words: "<tunnel|connection>",
    options: {
      "--follow": "go on until the tunnel ends",
      "--bodies": "with what was said",
    },
    help: "what happened to a tunnel in the last hour",
    build: (args) => event("channel.log", { tunnel: argument(args, 0, "tunnel"), bodies: args.flags?.has("bodies") }),
    printer: channelLogPrinter,
  },
  "keys add": {
    words: "<name>",
    options: {
      "--scopes <scopes>": scopes.join(","),
      "--shop <shop>": "for this shop alone; orders: and menu: need one",
    },
    help: "a key for another back end, with one scope or more (docs/back-ends.md)",
    build: (args) =>
      event("keys.add", {
        name: argument(args, 0, "name"),
        scopes: (args.options.scopes ?? "").split(","),
        shop: args.options.shop,
      }),
  },
  "keys list": { words: "", help: "keys of other back ends", build: () => event("keys.list", {}) },
  "keys revoke": {
    words: "<key>",
    help: "revoke a key",
    build: (args) => event("keys.revoke", { id: argument(args, 0, "key") }),
  },
  "webhook add": {
    words: "<url>",
    options: {
      "--shop <shop>": "events of this shop alone",
      "--types <types>": "such as order,notification",
    },
    help: "send events to a business server; prints the secret of its signatures",
    build: (args) =>
      event("webhook.add", {
        url: argument(args, 0, "url"),
        shop: args.options.shop,
        types: args.options.types?.split(",").map((type) => type.trim()),
      }),
  },
  "webhook list": { words: "", help: "webhooks, and what waits or is dead", build: () => event("webhook.list", {}) },
  "webhook remove": {
    words: "<webhook>",
    help: "send nothing more to it",
    build: (args) => event("webhook.remove", { webhook: argument(args, 0, "webhook") }),
  },
  "webhook replay": {
    words: "<webhook>",
    options: {
      "--stream <name>": "this stream alone",
      "--from <number>": "send its events again from this number on",
    },
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
    words: "<webhook>",
    help: "send one event that means nothing, and show the answer",
    build: (args) => event("webhook.test", { webhook: argument(args, 0, "webhook") }),
  },
  "collections list": {
    words: "",
    help: "collections: permission, indexes, how many documents",
    build: () => event("collections.list", {}),
  },
  "collections export": {
    words: "<collection>",
    help: "all documents, one JSON a line",
    build: (args) => event("collections.export", { collection: argument(args, 0, "collection") }),
    calls: (first, _, ask, output) => exportLines(first, ask, output),
    print: () => "",
  },
  "collections import": {
    words: "<collection> <file>",
    options: {
      "--replace": "take the other documents out",
    },
    help: "add documents, one JSON a line (- reads standard input), all or nothing",
    build: (args) => {
      argument(args, 1, "file");
      const replace = args.flags?.has("replace") || undefined;
      return event("collections.import", { collection: argument(args, 0, "collection"), replace });
    },
    calls: (first, args, ask) => importLines(first, argument(args, 1, "file"), ask),
  },
  "films add": {
    words: "<file>",
    options: {
      "--shop <shop>": "whose film it is",
      "--title <title>": "its title",
      "--seconds <seconds>": "its length",
      "--poster <file>": "a picture: jpg, png or webp",
      "--hls <folder>": "its playlists and parts, as ffmpeg has made them (docs/files.md)",
      "--url <address>": "the server's; http://127.0.0.1:8787 if none is given",
    },
    help: "put a film up for all, with poster and HLS parts",
    build: (args) =>
      event("pair", {
        shop: filmOf(args).shop,
        role: "owner",
        device: `films add: ${filmOf(args).title}`.slice(0, 40),
      }),
    calls: (first, args, ask, output) => addFilm(first, filmOf(args), ask, output),
  },
  audit: {
    words: "[shop]",
    options: {
      "--limit <count>": "so many entries; 100 if none is given",
      "--before <entry>": "older than this entry",
      "--json": "as JSON",
    },
    help: "who changed what, the newest first: of a shop, or everywhere",
    build: (args) => {
      const { limit, before } = args.options;
      return event("audit", { shop: args.words[0], before, limit: limit === undefined ? undefined : Number(limit) });
    },
    print: printAudit,
  },
  why: {
    words: "<order>",
    options: { "--json": "as JSON" },
    help: "an order's story: stored, pushed to whom, acknowledged when, escalated, accepted by whom",
    build: (args) => event("order.facts", { order: argument(args, 0, "order") }),
    calls: async (first, _args, ask, _output, reach) => why(await ask(first), reach),
    print: printStory,
  },
  orders: {
    words: "<shop>",
    options: {
      "--day <day>": "a business day such as 2026-11-21; today if none is given",
    },
    help: "the orders of a day as CSV",
    build: (args) => event("orders", { shop: argument(args, 0, "shop"), day: args.options.day }),
    print: csv,
  },
  report: {
    words: "<shop>",
    options: {
      "--day <day>": "a business day such as 2026-11-21; today if none is given",
    },
    help: "a day in figures",
    build: (args) => event("report", { shop: argument(args, 0, "shop"), day: args.options.day }),
  },
  sql: {
    words: "<statement>",
    help: "look into the embedded database, reading only",
    build: (args) => event("sql", { text: argument(args, 0, "statement") }),
    print: (answer) => table((answer as { rows: Record<string, unknown>[] }).rows),
  },
};

const printJson = (answer: unknown) => `${JSON.stringify(answer, null, 2)}\n`;

export interface BuiltCommand {
  readonly event: AdminEvent;
  /** Of a command of many calls. */
  readonly calls: ((ask: Ask, output: Output, reach: Reach) => Promise<AdminAnswer>) | undefined;
  readonly print: (answer: unknown) => string;
  readonly next: ((answer: unknown) => string) | undefined;
  /** Of a command that follows: whether it is to be asked again. */
  readonly goesOn: ((answer: unknown) => boolean) | undefined;
}

/** @throws UsageError when a file or a value does not fit */
export function buildCommand(command: Command, args: Args): BuiltCommand {
  const event = command.build(args);
  const printer = command.printer?.();
  return {
    event,
    calls: callsOf(command, event, args),
    print: args.flags?.has("json") ? printJson : (printer?.print ?? command.print ?? printJson),
    next: command.next,
    goesOn: args.flags?.has("follow") ? printer?.goesOn : undefined,
  };
}

function callsOf({ calls }: Command, first: AdminEvent, args: Args): BuiltCommand["calls"] {
  return calls === undefined ? undefined : (ask, output, reach) => calls(first, args, ask, output, reach);
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

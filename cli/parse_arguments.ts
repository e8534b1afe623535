/** Parses the command line with commander: help for every command, suggestions for what is misspelt. */
import { type CommanderError, Help, Command as Parser } from "commander";
import { type Args, type Command, commands } from "./commands.ts";
import { UsageError } from "./usage_error.ts";
import { version } from "./version.ts";

export type OtherCommand = "start" | "serve" | "init-db" | "tail" | "mock";

/** What the parser needs of a command. */
type Described = Pick<Command, "words" | "options" | "help">;

/** Commands that are not calls of the `admin` function. */
export const otherCommands: Readonly<Record<OtherCommand, Described>> = {
  start: {
    words: "",
    options: {
      "--port <port>": "8787 if none is given; 0 takes a free one",
      "--lan": "reachable from other machines of this network",
      "--tls": "with a certificate of its own",
    },
    help: "the demo: embedded database, two shops, stand-in WeChat",
  },
  serve: {
    words: "",
    options: {
      "--port <port>": "instead of PORT",
      "--only <part>": "this part alone: session",
    },
    help: "the server; needs DATABASE_URL and SIGNING_KEY, and WECHAT_KEY for WeChat",
  },
  "init-db": { words: "", help: "bring the database's tables up to date" },
  tail: {
    words: "",
    options: {
      "--order <order>": "lines of this order alone",
      "--shop <shop>": "lines of this shop alone",
      "--level <level>": "from this level up: debug, info, warn, error",
      "--since <time>": "from then on: 30m, 2h, 1d, or 2026-11-29T12:00Z",
      "--until <time>": "up to then, without following",
      "--json": "one JSON a line, as it is in a pipe",
    },
    help: "the log of the servers on this ORDERBELL_HOME, and what comes",
  },
  mock: {
    words: "",
    options: {
      "--port <port>": "8788 if none is given",
      "--gateway <url>": "where the other routes are answered",
      "--route <route...>": 'only these, such as "POST /bill"',
    },
    help: "answer routes from the examples in openapi.yaml",
  },
};

/** Options of every command. */
const common = {
  "--stage <name>": "a stage in the cloud, with your own AWS credentials",
  "--region <region>": "where that stage is",
  "--profile <profile>": "whose credentials, of ~/.aws",
  "--verbose": "say who was asked: a running server, a database, a stage",
};

const groups: Readonly<Record<string, string>> = {
  shop: "make, open, close and set shops",
  menu: "menus",
  tables: "tables of a shop",
  app: "mini-programs",
  devices: "staff devices",
  sessions: "sessions",
  connections: "sockets",
  channel: "business servers with an SDK of Wafer",
  keys: "keys of other back ends",
  webhook: "business servers that are sent events",
  collections: "documents",
};

export type Parsed =
  /** Help, or the version: to be printed, and nothing to be done. */
  | { readonly text: string }
  | { readonly name: string; readonly args: Args; readonly routes: readonly string[]; readonly isVerbose: boolean };

/** @throws UsageError that names what does not fit, and what was meant if it is close */
export function parseArguments(argv: readonly string[]): Parsed {
  let text = "";
  let parsed: Parsed | undefined;
  const root = new Parser("orderbell")
    .description("An order is placed, the kitchen's bell rings, always.")
    .version(version, "-V, --version", "the version")
    .helpOption("-h, --help", "help; also behind a command")
    .helpCommand(false)
    .configureOutput({ writeOut: (part) => (text += part), writeErr: () => {}, outputError: () => {} })
    .configureHelp({ formatHelp: withAllCommands, showGlobalOptions: true })
    .usage("<command>");
  for (const [flags, what] of Object.entries(common)) root.option(flags, what);
  refuseIn(root);
  const { start, serve, ...others } = otherCommands;
  for (const [name, command] of Object.entries({ start, serve, ...commands, ...others })) {
    const leaf = addCommand(root, name, command);
    leaf.action(() => {
      parsed = { name, ...argumentsOf(leaf), isVerbose: root.opts().verbose === true };
    });
  }
  try {
    root.parse(wordsOf(argv), { from: "user" });
  } catch (error) {
    if ((error as CommanderError).exitCode !== 0) throw error;
  }
  return parsed ?? { text };
}

/** Help that lists commands of two words; suggestions are made of the first word alone. */
const withAllCommands = (command: Parser, helper: Help): string =>
  Help.prototype.formatHelp.call(
    helper,
    command,
    Object.assign(helper, { visibleCommands: leavesOf, subcommandTerm: termOf }),
  );

/** As a list of commands shows it. */
const termOf = (command: Parser) =>
  `${pathOf(command)} ${command.usage().replace(/\[(--.*|options\])/, command.options.length > 0 ? "[options]" : "")}`.trim();

/** `help shop create` is `shop create --help`. */
function wordsOf(argv: readonly string[]): string[] {
  if (argv.length === 0) return ["--help"];
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

function addCommand(root: Parser, name: string, { words, options = {}, help }: Described): Parser {
  const [first = "", second] = name.split(" ");
  const parent = second === undefined ? root : groupOf(root, first);
  const leaf = parent.command(`${second ?? first} ${words}`.trim()).description(help);
  for (const [flags, what] of Object.entries(options)) leaf.option(flags, what);
  leaf.usage([words, ...Object.keys(options).map((flags) => `[${flags}]`)].filter((one) => one !== "").join(" "));
  refuseIn(leaf);
  return leaf;
}

function groupOf(root: Parser, name: string): Parser {
  const known = root.commands.find((one) => one.name() === name);
  if (known !== undefined) return known;
  const group = root
    .command(name)
    .description(groups[name] ?? name)
    .usage("<command>");
  refuseIn(group);
  return group;
}

/** Turns the parser's error into ours, with the command's usage. */
function refuseIn(parser: Parser): void {
  parser.exitOverride((error) => {
    if (error.exitCode === 0) throw error;
    const usage = `usage: ${pathOf(parser, "orderbell")} ${parser.usage()}`.trim();
    throw new UsageError(`${sentenceOf(error, parser)}\n${usage}`);
  });
}

function sentenceOf({ code, message }: CommanderError, parser: Parser): string {
  const sentence = message.replace(/^error: /, "");
  const [, quoted = ""] = /'(.*?)'/.exec(sentence) ?? [];
  switch (code) {
    case "commander.unknownCommand":
      return sentence.replace(/^[^\n]*/, `there is no command "${pathOf(parser, "", quoted)}"`);
    case "commander.missingArgument":
      return `<${quoted}> is missing`;
    case "commander.excessArguments":
      return `"${parser.args[parser.registeredArguments.length]}" is one word too many`;
    case "commander.help":
      return `"${pathOf(parser)}" is followed by one of ${parser.commands.map((one) => one.name()).join(", ")}`;
    default:
      return sentence;
  }
}

/** The command's words, such as `shop create`. @param begin what stands before them @param end behind them */
function pathOf(parser: Parser, begin = "", end = ""): string {
  const words: string[] = [];
  for (let at = parser; at.parent !== null; at = at.parent) words.unshift(at.name());
  return [begin, ...words, end].filter((one) => one !== "").join(" ");
}

const leavesOf = (parser: Parser): Parser[] =>
  parser.commands.flatMap((one) => (one.commands.length > 0 ? leavesOf(one as Parser) : [one as Parser]));

function argumentsOf(leaf: Parser): { args: Args; routes: readonly string[] } {
  const given = leaf.opts<Record<string, string | true | string[] | undefined>>();
  const options: Record<string, string> = {};
  const flags = new Set<string>();
  let routes: readonly string[] = [];
  for (const option of leaf.options) {
    const [name, value] = [option.name(), given[option.attributeName()]];
    if (value === true) flags.add(name);
    else if (Array.isArray(value)) routes = value;
    else if (value !== undefined) options[name] = value;
  }
  return { args: { words: leaf.args, options, flags }, routes };
}

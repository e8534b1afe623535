/** `orderbell tail`: the log of the servers on this ORDERBELL_HOME, from as far back as it is kept, and what comes. */
import { systemClock } from "../functions/_app.ts";
import { followLog } from "./admin_socket.ts";
import type { Output } from "./collection_commands.ts";
import type { Args } from "./commands.ts";
import { isWanted, type LogFilter, type LogLine, levelOf, logLineOf, readKept, timeOf } from "./read_log.ts";

/** Lines that are shown of the past if no time is named. */
const usualLines = 200;

/** @returns the exit code @throws UsageError */
export async function tail(home: string, { options, flags }: Args, { out, remark }: Output): Promise<number> {
  const filter = filterOf(options);
  const isNamed = filter.since !== undefined || filter.until !== undefined;
  const print = flags?.has("json") || process.stdout.isTTY !== true ? asJson : asText;
  const show = async (lines: readonly LogLine[]) => {
    if (lines.length > 0) await out(lines.map(print).join(""));
  };
  if (filter.until !== undefined) {
    await show(readKept(home, filter));
    return 0;
  }
  const isFollowed = await followLog(home, {
    kept: (upTo) => {
      const lines = readKept(home, filter, { upTo });
      void show(isNamed ? lines : lines.slice(-usualLines));
    },
    line: (text) => {
      const line = logLineOf(text);
      if (line !== undefined && isWanted(line, filter)) process.stdout.write(print(line));
    },
  });
  if (isFollowed) return 0;
  const lines = filter.since === undefined ? [] : readKept(home, filter);
  await show(lines);
  remark("no server runs here; start one with `npm start`");
  return lines.length > 0 ? 0 : 1;
}

function filterOf({ order, shop, level, since, until }: Args["options"]): LogFilter {
  const now = systemClock.now();
  return {
    order,
    shop,
    level: levelOf(level),
    since: timeOf("since", since, now),
    until: timeOf("until", until, now),
  };
}

const asJson = ({ text }: LogLine) => `${text}\n`;

/** For people: the time in UTC, the level where it matters, and the fields. */
function asText({ at, level, event, fields }: LogLine): string {
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return `${[at, level.padEnd(5), event.padEnd(12), ...shown].join(" ")}\n`;
}

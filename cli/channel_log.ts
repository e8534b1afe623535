/** Prints the record of a tunnel: a line for each frame and call, and again when something has become of it. */
import type { ChannelLog, LoggedFrame } from "../shared/wafer/channel_log.ts";

export interface ChannelLogPrinter {
  print(answer: unknown): string;
  /** Whether there will be more. */
  goesOn(answer: unknown): boolean;
}

/** Remembers what it has printed, so that the same record a second later prints only what is new. */
export function channelLogPrinter(): ChannelLogPrinter {
  const printed = new Map<string, string>();
  const once = (name: string, line: string): string => {
    if (printed.get(name) === line) return "";
    printed.set(name, line);
    return `${line}\n`;
  };
  return {
    print(answer) {
      const log = answer as ChannelLog;
      const { tunnel, channel, createdAt, openedAt, closedAt, reason } = log;
      return [
        once("tunnel", `${createdAt}  tunnel ${tunnel} of channel ${channel}`),
        ...(openedAt === null ? [] : [once("open", `${openedAt}  open`)]),
        ...log.frames.map((frame) => once(`${frame.direction} ${frame.seq}`, lineOf(frame))),
        ...(closedAt === null ? [] : [once("closed", `${closedAt}  closed: ${reason}`)]),
      ].join("");
    },
    goesOn(answer) {
      const { closedAt, waiting } = answer as ChannelLog;
      return closedAt === null || waiting.in > 0;
    },
  };
}

function lineOf({ at, direction, seq, kind, bytes, doneAt, tries, status, ms, content }: LoggedFrame): string {
  const arrow = direction === "in" ? "→ server" : "→ client";
  const outcome =
    status === undefined || status === null ? [] : [status, `${ms} ms`, ...(tries === 1 ? [] : [`try ${tries}`])];
  const state = doneAt === null ? ["waits"] : [];
  const said = content === undefined || content === null ? [] : [content];
  return [`${at}  ${arrow} ${seq} ${kind}`, `${bytes} B`, ...outcome, ...state, ...said].join("  ");
}

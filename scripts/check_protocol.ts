/** Compares docs/protocol.md with the code: messages, streams, rights, steps, events, bounds. */
import { readFileSync } from "node:fs";
import { codes } from "../shared/errors.ts";
import { actions, actors } from "../shared/order_states.ts";
import { clientMessageTypes, eventTypes, serverMessageTypes, streamKinds } from "../shared/protocol.ts";
import { streamTable } from "../shared/streams/authority.ts";

/** @returns a line for each difference */
export function checkProtocol(text = readFileSync(new URL("../docs/protocol.md", import.meta.url), "utf8")): string[] {
  const problems: string[] = [];
  const same = (what: string, documented: readonly string[], coded: readonly string[]) => {
    for (const name of documented)
      if (!coded.includes(name)) problems.push(`${what} "${name}" is in docs/protocol.md but not in the code`);
    for (const name of coded)
      if (!documented.includes(name)) problems.push(`${what} "${name}" is in the code but not in docs/protocol.md`);
  };
  const sections = text.split(/^## /m);
  const section = (title: string) => sections.find((one) => one.startsWith(title)) ?? "";
  const headings = (title: string) => [...section(title).matchAll(/^### `(\w+)`/gm)].map(([, name]) => name as string);
  const rows = (body: string) =>
    body
      .split("\n")
      .filter((line) => /^\| (?!---)/.test(line))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );

  same("message", headings("Messages of the client"), clientMessageTypes);
  same("message", headings("Messages of the server"), serverMessageTypes);

  const streamRows = rows(section("Streams")).filter(([name]) => name?.includes(":{id}"));
  same(
    "stream",
    streamRows.map(([name]) => name?.match(/`(\w+):/)?.[1] ?? ""),
    streamKinds,
  );
  for (const [name = "", , reads, writes, made] of streamRows) {
    const kind = streamKinds.find((known) => name.includes(`\`${known}:`));
    if (kind === undefined) continue;
    const known = streamTable[kind];
    same(`reader of ${kind}`, (reads ?? "").split(", "), known.reads);
    same(`writer of ${kind}`, writes === "nobody" ? [] : (writes ?? "").split(", "), known.writes);
    if (made !== known.made) problems.push(`stream "${kind}" is made "${known.made}", docs/protocol.md says "${made}"`);
  }

  const [, ...parties] = rows(section("Streams")).find(([name]) => name === "step") ?? [];
  const steps = rows(section("Streams")).filter(([name]) => (actions as readonly string[]).includes(name ?? ""));
  same(
    "step",
    steps.map(([name]) => name ?? ""),
    actions,
  );
  for (const [name, ...cells] of steps)
    for (const [at, party] of parties.entries()) {
      const allowed = actors[name as keyof typeof actors].includes(party as never);
      if ((cells[at] === "yes") !== allowed)
        problems.push(`step "${name}" by ${party}: docs/protocol.md says ${cells[at]}`);
    }

  const events = rows(section("Events")).filter(([stream]) =>
    (streamKinds as readonly string[]).includes(stream ?? ""),
  );
  for (const kind of streamKinds)
    same(
      `event of ${kind}`,
      events.filter(([stream]) => stream === kind).map(([, name]) => name?.replaceAll("`", "") ?? ""),
      eventTypes[kind],
    );

  for (const [, code] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g))
    if (!(codes as readonly string[]).includes(code as string)) problems.push(`code "${code}" does not exist`);
  return problems;
}

/**
 * The list that all watches of a group have, as the group's row keeps it: a change inside of a short list needs no reading, and its
 * watches are told what has changed and not all of it.
 */
import type { KnownList } from "../../db/watches.ts";
import type { App } from "../app.ts";
import type { Caller } from "./caller.ts";
import type { DocumentChange } from "./changes.ts";
import type { Document } from "./value.ts";
import { cut, cutList, type Part } from "./watch_cloud_cut.ts";
import type { Happened } from "./watch_cloud_position.ts";
import { compareLists } from "./watch_compare.ts";
import type { Group } from "./watch_group.ts";
import { readList } from "./watch_list.ts";
import { applyToWindow } from "./watch_window.ts";
import { decodeStored, encode, type Json } from "./wire_value.ts";

/** Characters of a list that is kept. */
const maxKnownLength = 24 * 1_024;

export const unknownList: KnownList = { digest: "", known: "" };

export function knownList(app: App, documents: readonly Document[]): KnownList {
  const text = JSON.stringify(documents.map(encode));
  return { digest: app.secrets.hash(text), known: text.length <= maxKnownLength ? text : "" };
}

const documentsIn = (known: string): readonly Document[] | undefined =>
  known === "" ? undefined : (JSON.parse(known) as Json[]).map(decodeStored);

/**
 * What leads from the list that the watches have to the list of now.
 * @param caller asked only where the list must be read @returns undefined when it is the same
 */
export async function changeOfList(
  app: App,
  group: Group,
  before: KnownList,
  happened: Happened,
  caller: () => Promise<Caller>,
): Promise<{ readonly parts: readonly Part[]; readonly list: KnownList } | undefined> {
  const had = documentsIn(before.known);
  const changes = typeof happened === "string" ? undefined : happened.map((commit) => commit.changes);
  const applied = had === undefined || changes === undefined ? undefined : apply(group, had, changes);
  const documents = applied ?? (await readList(app, await caller(), group)).documents;
  const list = knownList(app, documents);
  if (list.digest === before.digest) return undefined;
  const events = had === undefined ? [] : compareLists(had, documents, optionsOf(group, changes));
  const isWhole = events[0] === undefined || events[0].queueType === "init";
  return { parts: isWhole ? cutList(documents) : cut(events), list };
}

/** @returns undefined when documents that are not in it may belong into it now, or other documents decide */
function apply(
  { kind, spec: { limit }, order, visible }: Group,
  had: readonly Document[],
  commits: readonly (readonly DocumentChange[])[],
): readonly Document[] | undefined {
  if (kind !== "window") return undefined;
  let list: readonly Document[] | undefined = had;
  for (const changes of commits) list = list && applyToWindow(list, changes, { limit, order, visible });
  return list;
}

function optionsOf(group: Group, commits: readonly (readonly DocumentChange[])[] | undefined) {
  const { sorts } = group.spec;
  if (group.kind !== "window" || commits === undefined) return { sorts };
  const causes = new Map<string, DocumentChange>();
  for (const change of commits.flat())
    causes.set(change.id, { ...change, before: (causes.get(change.id) ?? change).before });
  return { sorts, causes, visible: group.visible };
}

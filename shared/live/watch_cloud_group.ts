/** What an event of a stream means for one group: the parts of its push. */
import type { Row } from "../../db/database.ts";
import { readSessionOfGroup } from "../../db/watches.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import { AppError, SessionEnded } from "../errors.ts";
import { aliveOf } from "../sessions/session.ts";
import { type Caller, callerOfSession } from "./caller.ts";
import type { Commit } from "./changes.ts";
import { cut, cutList, type Part } from "./watch_cloud_cut.ts";
import type { Happened } from "./watch_cloud_position.ts";
import { directEvents, fillerEvents } from "./watch_events.ts";
import { type Group, groupOfKey } from "./watch_group.ts";
import { readList } from "./watch_list.ts";

export interface GroupPlan {
  readonly id: string;
  /** Of the group, when it was looked at. */
  readonly counter: number;
  /** None: one id is used up and nothing is pushed. Each client finds at its next check that it is behind, and asks for its list. */
  readonly parts: readonly Part[];
  /** Of the whole list, where that is pushed. */
  readonly digest?: string;
  /** Why its watches end. */
  readonly ends?: AppError;
}

/** @param row of the group @returns undefined when it does not concern the group */
export async function planOf(app: App, row: Row, stream: string, happened: Happened): Promise<GroupPlan | undefined> {
  const plan = { id: String(row.id), counter: Number(row.counter) };
  try {
    const group = groupOfKey(app, String(row.spec));
    if (!concerns(group, stream, happened)) return undefined;
    if (group.kind === "direct" && typeof happened !== "string") {
      const parts = happened.flatMap((commit) => cut(directEvents(commit, group.visible)));
      return parts.length === 0 ? undefined : { ...plan, parts };
    }
    const { parts, digest } = await cutListOf(app, group, await callerOfGroup(app, plan.id));
    // Of a direct group the lists are not compared: what was pushed since the last one is not in its digest.
    if (group.kind === "direct") return { ...plan, parts };
    return digest === row.digest ? undefined : { ...plan, parts, digest };
  } catch (error) {
    return failed(app, plan, error);
  }
}

function failed(app: App, plan: Pick<GroupPlan, "id" | "counter">, error: unknown): GroupPlan {
  // The gateway finds the same of each connection that is pushed to, and closes it.
  if (error instanceof AppError && error.status === 401) return { ...plan, parts: cut(fillerEvents), digest: "" };
  if (error instanceof AppError && error.status < 500) return { ...plan, parts: [], ends: error };
  app.log.error("watch.group", { group: plan.id }, error);
  return { ...plan, parts: [], digest: "" };
}

/** A group's list in parts, with what it is as of. */
export async function cutListOf(app: App, group: Group, caller: Caller) {
  const { documents, heads } = await readList(app, caller, group);
  const parts = cutList(documents);
  return { documents, heads, parts, digest: app.secrets.hash(parts.map(({ text }) => text(0)).join("\n")) };
}

/** Whether what happened may change the group's list. */
export function concerns(group: Group, stream: string, happened: Happened): boolean {
  if (typeof happened === "string" || group.collection === undefined) return true;
  if (stream !== collectionStream(group.spec.collection)) return happened.length > 0;
  return happened.some((commit) => touches(group, commit));
}

const touches = ({ visible }: Group, { changes }: Commit) =>
  changes.some(
    ({ before, after }) => (before !== undefined && visible(before)) || (after !== undefined && visible(after)),
  );

/** One who watches: all have the same rights. @throws SessionEnded */
async function callerOfGroup(app: App, group: string): Promise<Caller> {
  const [rows = []] = await app.db.read([readSessionOfGroup(group)]);
  if (rows[0] === undefined) throw new SessionEnded();
  return callerOfSession(app, aliveOf(rows[0], app.clock.now()));
}

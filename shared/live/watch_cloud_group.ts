/** What an event of a stream means for one group: the parts of its push. */
import type { Row } from "../../db/database.ts";
import { type KnownList, readSessionOfGroup } from "../../db/watches.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import { AppError, SessionEnded } from "../errors.ts";
import { aliveOf } from "../sessions/session.ts";
import { type Caller, callerOfSession } from "./caller.ts";
import type { Commit } from "./changes.ts";
import type { Auth } from "./rules.ts";
import { cut, cutList, type Part } from "./watch_cloud_cut.ts";
import { changeOfList, unknownList } from "./watch_cloud_known.ts";
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
  /** What all its watches have then, where they have a list in its order. */
  readonly list?: KnownList;
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
    const caller = () => callerOfGroup(app, group, plan.id);
    if (group.kind === "direct")
      return { ...plan, parts: cutList((await readList(app, await caller(), group)).documents) };
    const before = { digest: String(row.digest), known: String(row.known) };
    const changed = await changeOfList(app, group, before, happened, caller);
    return changed === undefined ? undefined : { ...plan, ...changed };
  } catch (error) {
    return failed(app, plan, error);
  }
}

function failed(app: App, plan: Pick<GroupPlan, "id" | "counter">, error: unknown): GroupPlan {
  // The gateway finds the same of each connection that is pushed to, and closes it.
  if (error instanceof AppError && error.status === 401)
    return { ...plan, parts: cut(fillerEvents), list: unknownList };
  if (error instanceof AppError && error.status < 500) return { ...plan, parts: [], ends: error };
  app.log.error("watch.group", { group: plan.id }, error);
  return { ...plan, parts: [], list: unknownList };
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

/** With the rights that its key names; for built-in collections one who watches: all find the same. @throws SessionEnded */
async function callerOfGroup(app: App, { key, collection }: Group, id: string): Promise<Caller> {
  const { auth = null } = JSON.parse(key) as { auth?: Auth | null };
  if (collection !== undefined && auth?.isAdmin !== true) return { auth, session: undefined };
  const [rows = []] = await app.db.read([readSessionOfGroup(id)]);
  if (rows[0] === undefined) throw new SessionEnded();
  return callerOfSession(app, aliveOf(rows[0], app.clock.now()));
}

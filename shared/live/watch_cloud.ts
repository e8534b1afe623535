/** Watches in the cloud, where functions share no memory: all that is known of them stands in rows. */
import {
  countWatchers,
  readAllWatches,
  readGroup,
  readPositionsOfWatch,
  readWatch,
  removeWatch,
  removeWatchesOf,
} from "../../db/watches.ts";
import type { App } from "../app.ts";
import { countStream } from "./watch_cloud_count.ts";
import { planOf } from "./watch_cloud_group.ts";
import { openInCloud } from "./watch_cloud_open.ts";
import { happenedIn, type Position, positionsOf } from "./watch_cloud_position.ts";
import type { Watches } from "./watch_port.ts";

const mostWatchers = 1_000;

export const cloudWatches: Watches = {
  open: openInCloud,

  async check(app, { connection, watchId, queryId }, eventId) {
    const found = await lookAt(app, connection, watchId, queryId);
    if (found?.current !== eventId) return eventId + 1;
    const late = found.positions.filter(({ state }) => state !== "current");
    if (late.length === 0) return eventId;
    for (const { stream } of late) await countStream(app, stream);
    const after = await lookAt(app, connection, watchId, queryId);
    if (after?.current !== eventId) return eventId + 1;
    return (await isConcerned(app, after)) ? eventId + 1 : eventId;
  },

  async close(app, connection, watchId) {
    await app.db.flight({ statements: [removeWatch(connection, watchId)], repeatable: true });
  },

  async forget(app, connection) {
    await app.db.flight({ statements: [removeWatchesOf(connection)], repeatable: true });
  },

  async counts(app) {
    const [rows = []] = await app.db.read([countWatchers()]);
    return new Map(rows.map(({ collection, n }) => [String(collection), Number(n)]));
  },

  async watchers(app) {
    const [rows = []] = await app.db.read([readAllWatches(mostWatchers)]);
    return rows.map((row) => ({
      collection: String(row.collection),
      user: row.kind === "key" ? null : String(row.user_id),
      kind: String(row.kind),
      query: JSON.stringify(JSON.parse(String(row.spec)).query),
      since: Number(row.opened_at),
    }));
  },
};

interface Looked {
  readonly group: string;
  /** The id of its last event. */
  readonly current: number;
  readonly positions: readonly Position[];
}

/** Undefined: there is no such watch, or it does not take part yet; its client asks for its list. */
async function lookAt(app: App, connection: string, watchId: string, queryId: string): Promise<Looked | undefined> {
  const [watches, positions] = await app.db.read([
    readWatch(connection, watchId),
    readPositionsOfWatch(connection, watchId),
  ]);
  const row = watches[0];
  if (row === undefined || row.active !== 1 || row.query_id !== app.secrets.hash(queryId)) return undefined;
  if (positions.some(({ seq }) => seq === null)) return undefined;
  return {
    group: String(row.group_id),
    current: Number(row.shift) + Number(row.counter),
    positions: [...positionsOf(positions).values()],
  };
}

/** Whether what somebody else pushes at this moment, or nobody could count, changes this watch's list. */
async function isConcerned(app: App, { group, positions }: Looked): Promise<boolean> {
  const late = positions.filter(({ state }) => state !== "current");
  if (late.length === 0) return false;
  const [rows = []] = await app.db.read([readGroup(group)]);
  if (rows[0] === undefined) return true;
  for (const position of late) {
    const plan = await planOf(app, rows[0], position.stream, await happenedIn(app, position));
    if (plan !== undefined) return true;
  }
  return false;
}

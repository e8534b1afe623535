/** Once a minute, and what nobody needs any more. */
import {
  lockGroups,
  readUncounted,
  readUnusedGroups,
  readUsedGroups,
  removeGroups,
  removeUnwatchedStreams,
  trimWatches,
} from "../../db/watches.ts";
import type { App } from "../app.ts";

const minuteMs = 60_000;
/** Longer than a group that was just written counts as written. */
const unusedMs = 10 * minuteMs;
const perRun = { streams: 100, groups: 500 };

/** Has pushed what was committed when nobody could push it: a function died, or was not started. */
export async function sweepWatches(app: App): Promise<void> {
  const [rows = []] = await app.db.read([readUncounted(perRun.streams)]);
  const watched = rows.map(({ stream }) => String(stream));
  if (watched.length > 0) await app.invoke("fan_out", { shops: [], rooms: [], watched });
}

/** Removes watches of connections that are gone, groups that nobody watches, and streams that no group looks at. */
export async function trimWatchRows(app: App): Promise<void> {
  const now = app.clock.now();
  await app.db.flight({ statements: [trimWatches(now - minuteMs)], repeatable: true });
  const [unused = []] = await app.db.read([readUnusedGroups(now - unusedMs, perRun.groups)]);
  const ids = unused.map(({ id }) => String(id));
  if (ids.length > 0)
    await app.db.flight({
      // Somebody may have begun to watch in between: who registers holds the group's row.
      statements: [lockGroups(ids), readUsedGroups(ids)],
      decide([locked = [], used = []]) {
        const kept = new Set(used.map(({ group_id }) => String(group_id)));
        return removeGroups(locked.map(({ id }) => String(id)).filter((id) => !kept.has(id)));
      },
      repeatable: true,
    });
  await app.db.flight({ statements: [removeUnwatchedStreams()], repeatable: true });
}

/** Pushes the events of groups to those who watch. */
import type { Row } from "../../db/database.ts";
import { readWatchers, removeWatch } from "../../db/watches.ts";
import type { App, WatchShare } from "../app.ts";
import type { Addressed, Published } from "../gateway.ts";
import { rowsOfShare } from "../streams/deliver.ts";
import { vendorError } from "./vendor_codes.ts";
import { partOf, pushFrames } from "./watch_cloud_cut.ts";
import type { GroupPlan } from "./watch_cloud_group.ts";
import { watchErrorFrame } from "./watch_frames.ts";

/** Groups whose watches are read at once, and bytes of frames that are held at once. */
const groupsAtOnce = 1_000;
const maxHeldBytes = 8 * 1_024 * 1_024;

/** Those who watch, to whom one function can push well within its time. */
export const maxWatchers = 2_000;
/** An event that starts a function may have 256 KB, and quotes grow in it. */
const maxShareBytes = 180 * 1_024;

/** The counters were moved already. */
export async function pushToGroups(app: App, stream: string, plans: readonly GroupPlan[]): Promise<void> {
  const own = plans.filter(({ parts, ends }) => parts.length > 0 || ends !== undefined);
  const all = { readers: 0, sent: 0, gone: 0 };
  for (let at = 0; at < own.length; at += groupsAtOnce) {
    const some = own.slice(at, at + groupsAtOnce);
    const [rows = []] = await app.db.read([readWatchers(some.map(({ id }) => id))]);
    if (rows.length > maxWatchers && (await shareOut(app, stream, some, rows.length))) continue;
    const { readers, sent, gone } = await pushToWatchers(app, some, rows);
    all.readers += readers;
    all.sent += sent;
    all.gone += gone;
  }
  if (own.length > 0) app.log.debug("push", { stream, groups: own.length, ...all });
}

/** @returns false when the events are too large to be handed on; then this function pushes to all, as far as its time goes */
async function shareOut(app: App, stream: string, plans: readonly GroupPlan[], watchers: number): Promise<boolean> {
  if (plans.some(({ ends }) => ends !== undefined)) return false;
  const groups = plans.map(({ id, counter, parts }) => ({ id, counter, parts: parts.map(({ pieces }) => pieces) }));
  if (Buffer.byteLength(JSON.stringify(groups)) > maxShareBytes) return false;
  const of = Math.ceil(watchers / maxWatchers);
  const starts = Array.from({ length: of }, (_, at) =>
    app
      .invoke("fan_out", { shops: [], rooms: [], watches: { stream, groups, share: { at, of } } })
      .catch((error) => app.log.error("push", { stream }, error)),
  );
  await Promise.all(starts);
  return true;
}

/** Pushes to the share of those who watch that another function has handed on. */
export async function pushShare(app: App, { stream, groups, share }: WatchShare): Promise<void> {
  const plans = groups.map(({ id, counter, parts }) => ({ id, counter, parts: parts.map(partOf) }));
  const [rows = []] = await app.db.read([readWatchers(plans.map(({ id }) => id))]);
  const all = await pushToWatchers(app, plans, rowsOfShare(share, rows));
  app.log.debug("push", { stream, groups: plans.length, ...all });
}

async function pushToWatchers(app: App, list: readonly GroupPlan[], rows: readonly Row[]): Promise<Published> {
  const plans = new Map(list.map((plan) => [plan.id, plan]));
  const all = { readers: rows.length, sent: 0, gone: 0 };
  let held: Addressed[] = [];
  let bytes = 0;
  async function send() {
    const { sent, gone } = await app.gateway.publishEach(held, rows);
    all.sent += sent;
    all.gone += gone;
    held = [];
    bytes = 0;
  }
  const ended: Row[] = [];
  for (const row of rows) {
    const plan = plans.get(String(row.group_id));
    if (plan === undefined) continue;
    if (plan.ends !== undefined) ended.push(row);
    for (const frame of framesFor(row, plan)) {
      held.push({ connection: String(row.connection_id), frame });
      bytes += frame.length;
    }
    if (bytes > maxHeldBytes) await send();
  }
  if (held.length > 0) await send();
  for (const row of ended)
    await app.db.flight({
      statements: [removeWatch(String(row.connection_id), String(row.watch_id))],
      repeatable: true,
    });
  return all;
}

function framesFor({ watch_id, shift }: Row, { counter, parts, ends }: GroupPlan): string[] {
  const watchId = String(watch_id);
  if (ends !== undefined) return [watchErrorFrame("", vendorError(ends), watchId)];
  return pushFrames(watchId, parts, Number(shift) + counter + 1);
}

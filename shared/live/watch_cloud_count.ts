/**
 * Counts the events of a stream for the groups that they concern, and pushes them.
 *
 * Everything is worked out without a lock. Then one transaction compares how far the groups counted with what was read, and moves it on
 * with the counters of those groups: of two who count the same events, one is first and the other looks anew. A group that registers
 * meanwhile need not be found: it reads its list after these events were committed.
 *
 * Who has counted holds the stream until it has pushed, so that pushes keep their order; others leave the next events to it, and it looks
 * once more after it has let go. Nothing is lost when it dies: each client compares its number with the counter.
 */
import type { Row } from "../../db/database.ts";
import {
  countEvents,
  endLease,
  lockGroups,
  lockPosition,
  movePosition,
  readGroupsFor,
  readGroupsOf,
  readPaths,
  readPositions,
} from "../../db/watches.ts";
import type { App } from "../app.ts";
import { keysOf } from "./index_key.ts";
import { type GroupPlan, planOf } from "./watch_cloud_group.ts";
import { type Happened, happenedIn, type Position, positionsOf } from "./watch_cloud_position.ts";
import { pushToGroups } from "./watch_cloud_push.ts";

/** Others that count at the same moment are first so often at most. */
const maxTries = 20;
/** Longer than all pushes of one commit take. */
const leaseMs = 15_000;
/** One function is the one that pushes for so long; then it starts another. */
const turnMs = 10_000;
/** Lists that are read at once. */
const listsAtOnce = 4;

/**
 * Counts and pushes what the groups of a stream lack. Nothing where nobody watches it.
 * @param byForce also where somebody else pushes at this moment
 * @returns whether they lack nothing any more that was committed before the call, or somebody else is at it
 */
export async function countStream(app: App, stream: string, byForce = false): Promise<"counted" | "busy"> {
  const lease = app.random.tag();
  const until = app.clock.now() + turnMs;
  for (let tries = 0; tries < maxTries; tries++) {
    const position = await readPosition(app, stream);
    if (position === undefined || position.state === "current") return "counted";
    const happened = await happenedIn(app, position);
    const plans = await plansOf(app, stream, happened);
    const moved = await move(app, position, plans, { lease, byForce });
    if (moved === "busy") return "busy";
    if (moved === "overtaken") continue;
    try {
      await pushToGroups(app, stream, plans);
    } finally {
      await app.db.flight({ statements: [endLease(stream, lease)], repeatable: true });
    }
    // What came while others found the stream held was left to this one.
    tries = 0;
    if (app.clock.now() > until) {
      await app.invoke("fan_out", { shops: [], rooms: [], watched: [stream] });
      return "counted";
    }
  }
  app.log.warn("watch.count", { stream, tries: maxTries });
  return "busy";
}

async function readPosition(app: App, stream: string): Promise<Position | undefined> {
  const [rows = []] = await app.db.read([readPositions([stream])]);
  return positionsOf(rows).get(stream);
}

/** The groups that it concerns. */
async function plansOf(app: App, stream: string, happened: Happened): Promise<readonly GroupPlan[]> {
  const rows = await groupsFor(app, stream, happened);
  const queue = rows.values();
  const plans: GroupPlan[] = [];
  await Promise.all(
    Array.from({ length: Math.min(listsAtOnce, rows.length) }, async () => {
      for (const row of queue) {
        const plan = await planOf(app, row, stream, happened);
        if (plan !== undefined) plans.push(plan);
      }
    }),
  );
  return plans;
}

async function groupsFor(app: App, stream: string, happened: Happened): Promise<readonly Row[]> {
  if (typeof happened === "string") return (await app.db.read([readGroupsOf(stream)]))[0];
  const [paths = []] = await app.db.read([readPaths(stream)]);
  const documents = happened.flatMap(({ changes }) =>
    changes.flatMap(({ before, after }) => [before, after].filter((one) => one !== undefined)),
  );
  const keys = paths
    .map(({ path }) => String(path))
    .filter((path) => path !== "")
    .map((path) => [path, [...new Set(documents.flatMap((one) => keysOf(one, path)))]] as const);
  const [rows = []] = await app.db.read([readGroupsFor(stream, new Map(keys))]);
  // One group may be found by several values.
  return [...new Map(rows.map((row) => [String(row.id), row])).values()];
}

interface Holding {
  readonly lease: string;
  readonly byForce: boolean;
}

async function move(
  app: App,
  { stream, at, head }: Position,
  plans: readonly GroupPlan[],
  { lease, byForce }: Holding,
): Promise<"moved" | "busy" | "overtaken"> {
  const now = app.clock.now();
  let outcome: "moved" | "busy" | "overtaken" = "overtaken";
  const groups = plans.length === 0 ? [] : [lockGroups(plans.map(({ id }) => id))];
  await app.db.flight({
    statements: [lockPosition(stream), ...groups],
    decide([positions = [], rows = []]) {
      outcome = "overtaken";
      const row = positions[0];
      if (row === undefined || row.epoch !== at.epoch || Number(row.seq) !== at.seq || row.tag !== at.tag) return [];
      if (!byForce && row.lease !== lease && Number(row.leased_until) > now) {
        outcome = "busy";
        return [];
      }
      const counters = new Map(rows.map(({ id, counter }) => [String(id), Number(counter)]));
      // A group of several streams was counted by another of them: its list is newer than ours.
      if (plans.some(({ id, counter }) => (counters.get(id) ?? counter) !== counter)) return [];
      outcome = "moved";
      return [movePosition(stream, head, { name: lease, until: now + leaseMs }), ...counts(plans)];
    },
    repeatable: true,
  });
  return outcome;
}

/** Few statements: most groups get one event, and no list. */
function counts(plans: readonly GroupPlan[]) {
  const alike = new Map<string, GroupPlan[]>();
  for (const plan of plans) {
    const key = `${eventsOf(plan)} ${plan.list?.digest}`;
    alike.set(key, [...(alike.get(key) ?? []), plan]);
  }
  return [...alike.values()].flatMap((own) =>
    own[0] === undefined
      ? []
      : [
          countEvents(
            own.map(({ id }) => id),
            eventsOf(own[0]),
            own[0].list,
          ),
        ],
  );
}

const eventsOf = ({ parts }: GroupPlan) => Math.max(1, parts.length);

/**
 * Begins a watch, or begins it anew: registers it, answers with its list, and lets it take part in what is pushed.
 *
 * Between request and answer the client throws away what is pushed, so the watch is not active until the answer is sent. What was
 * counted since the list was read is sent by this call; then the watch becomes active, and this call looks once more: who counted an
 * event before that did not push it to this watch, who counts after it does.
 */
import { lockConnection } from "../../db/connections.ts";
import type { Row } from "../../db/database.ts";
import type { Head } from "../../db/streams.ts";
import {
  activateWatch,
  countWatches,
  insertGroup,
  insertKeys,
  lockWatch,
  openWatch,
  readGroup,
  readPositions,
  readWatch,
  removeWatch,
  setKnown,
  startStream,
  type WatchKey,
} from "../../db/watches.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import { ConnectionUnknown, TooManyWatches } from "../errors.ts";
import { builtIns } from "./built_in.ts";
import { countStream } from "./watch_cloud_count.ts";
import { answerFrames, cut, cutList, pushFrames } from "./watch_cloud_cut.ts";
import { planOf } from "./watch_cloud_group.ts";
import { knownList, unknownList } from "./watch_cloud_known.ts";
import { happenedIn, type Position, positionsOf } from "./watch_cloud_position.ts";
import { fillerEvents } from "./watch_events.ts";
import { type Group, groupOf } from "./watch_group.ts";
import { readList } from "./watch_list.ts";
import type { Opening } from "./watch_port.ts";

/** Node's clients lose a frame that comes right behind the answer. */
const pauseMs = 60;
/** A client that is far behind what was sent to it gets so many empty events at most. */
const maxFillers = 500;
/** Looks until the watch takes part; then who is slower than all others takes over from them. */
const maxLooks = 60;
const patientLooks = 20;
const lookMs = 50;
/** A group that was written so lately is not written again by each of many who come at once. */
const fresheningMs = 60_000;

/** @throws AppError to refuse it; then there is no such watch */
export async function openInCloud(app: App, opening: Opening): Promise<void> {
  const begun = new CloudOpening(app, opening, groupOf(app, opening.spec, opening.caller));
  const ahead = await begun.register();
  try {
    if (!(await begun.answer(ahead))) return;
  } catch (error) {
    await app.db.flight({ statements: [removeWatch(opening.connection, opening.watchId)], repeatable: true });
    throw error;
  }
  await begun.follow();
}

class CloudOpening {
  readonly #app: App;
  readonly #opening: Opening;
  readonly #group: Group;
  readonly #id: string;
  /** Of two requests for one watch, the later is followed. */
  readonly #name: string;
  readonly #streams = new Set<string>();
  /** What the client's list is as of. */
  readonly #heads = new Map<string, Head>();
  /** The list that the client has, where it is kept in its order. */
  #list = unknownList;
  /** The last id that was sent. */
  #last = 0;

  constructor(app: App, opening: Opening, group: Group) {
    this.#app = app;
    this.#opening = opening;
    this.#group = group;
    this.#id = app.secrets.hash(group.key);
    this.#name = app.random.tag();
  }

  /** @returns the last id that may be on its way to the client from before; 0 for none @throws ConnectionUnknown, TooManyWatches */
  async register(): Promise<number> {
    const app = this.#app;
    const { connection, watchId, queryId } = this.#opening;
    const { dialect } = app.db;
    const at = app.clock.now();
    const limit = app.config.limits.watchesPerConnection;
    const keys = await this.#keys();
    for (const { stream } of keys) this.#streams.add(stream);
    const query = app.secrets.hash(queryId);
    const watch = { connection, watch: watchId, group: this.#id, query, opening: this.#name, at };
    let before: { readonly shift: number; readonly counter: number; readonly group: string } | undefined;
    const { after } = await app.db.flight({
      // Under the lock of the connection nobody else writes its watches.
      statements: [
        lockConnection(connection),
        readWatch(connection, watchId),
        countWatches(connection),
        readGroup(this.#id),
      ],
      decide: ([connections = [], watches = [], counts = [], groups = []]) => {
        const [row, count, group] = [watches[0], counts[0], groups[0]];
        if (connections.length === 0) throw new ConnectionUnknown();
        if (row === undefined && Number(count?.n) >= limit) throw new TooManyWatches(limit);
        const wasActive = row !== undefined && row.shift !== null;
        before = wasActive
          ? { shift: Number(row.shift), counter: Number(row.counter), group: String(row.group_id) }
          : undefined;
        const isFresh = group !== undefined && Number(group.used_at) > at - fresheningMs;
        return [...(isFresh ? [] : this.#registerGroup(keys, at)), ...openWatch(dialect, watch)];
      },
      // What is counted after the commit is not pushed to this watch.
      after: [readGroup(this.#id)],
      repeatable: true,
    });
    if (before === undefined) return 0;
    return (
      before.shift + (before.group === this.#id ? Number(after[0]?.[0]?.counter ?? before.counter) : before.counter)
    );
  }

  #registerGroup(keys: readonly WatchKey[], at: number) {
    const { dialect } = this.#app.db;
    const { key, spec } = this.#group;
    return [
      ...[...this.#streams].toSorted().map((stream) => startStream(dialect, stream)),
      ...insertGroup(dialect, { id: this.#id, collection: spec.collection, spec: key, at }),
      ...insertKeys(dialect, this.#id, keys),
    ];
  }

  /** By which events the group is found. */
  async #keys(): Promise<readonly WatchKey[]> {
    const { collection, condition, equality, further } = this.#group;
    const any = (stream: string) => ({ stream, path: "", valueKey: "" });
    if (collection === undefined) {
      const builtIn = builtIns.get(this.#group.spec.collection);
      return ((await builtIn?.streams(this.#app, this.#opening.caller, condition)) ?? []).map(any);
    }
    const stream = collectionStream(collection.name);
    const own =
      equality === undefined || !isColumnText(equality.path)
        ? [any(stream)]
        : equality.keys.map((valueKey) => ({ stream, path: equality.path, valueKey }));
    return [...own, ...further.map(any)];
  }

  /** Answers with the list. @returns whether the client has it */
  async answer(ahead: number): Promise<boolean> {
    const { after, watchId, requestId, queryId, caller } = this.#opening;
    const { documents, heads } = await readList(this.#app, caller, this.#group);
    const parts = cutList(documents);
    for (const stream of this.#streams) this.#heads.set(stream, heads.get(stream) ?? { epoch: "", seq: 0, tag: "" });
    if (this.#group.kind !== "direct") this.#list = knownList(this.#app, documents);
    const first = (after ?? ahead) + 1;
    const isEmpty = after === undefined && documents.length === 0;
    const list = isEmpty ? [] : parts;
    // What was pushed before and is on its way comes too late, and must be found a duplicate.
    const missing = Math.min(maxFillers, Math.max(0, ahead - (first + list.length - 1)));
    const all = [...list, ...Array.from({ length: after === undefined ? 0 : missing }, () => cut(fillerEvents)).flat()];
    const answered = { watchId, requestId, queryId };
    this.#last = isEmpty ? first : first + all.length - 1;
    return this.#send(answerFrames(after === undefined ? "INIT_EVENT" : "NEXT_EVENT", answered, all, first));
  }

  async #send(frames: readonly string[]): Promise<boolean> {
    for (const [at, frame] of frames.entries()) {
      if (at === 1) await this.#app.clock.sleep(pauseMs);
      if ((await this.#app.gateway.send(this.#opening.connection, frame)) !== "sent") return false;
    }
    return true;
  }

  /** Sends what was counted since the list was read, until the watch takes part. */
  async follow(): Promise<void> {
    let shift: number | undefined;
    for (let looks = 0; looks < maxLooks; looks++) {
      const [[group], rows] = await this.#app.db.read([readGroup(this.#id), readPositions([...this.#streams])]);
      const positions = positionsOf(rows);
      if (group === undefined || positions.size < this.#streams.size) {
        // Removed at this moment, as if nobody watched.
        const again = this.#registerGroup(await this.#keys(), this.#app.clock.now());
        await this.#app.db.flight({ statements: again, repeatable: true });
        continue;
      }
      const all = [...positions.values()];
      if (await this.#isWaiting(all, looks > patientLooks)) continue;
      if (await this.#catchUp(group, all)) continue;
      const needed = this.#last - Number(group.counter);
      if (shift === needed) return this.#count(all);
      if (!(await this.#activate(needed, group))) return;
      shift = needed;
    }
    this.#app.log.warn("watch.follow", { connection: this.#opening.connection, looks: maxLooks });
  }

  /** What the list holds already must be counted, so that it is not pushed under an id of its own. */
  async #isWaiting(positions: readonly Position[], byForce: boolean): Promise<boolean> {
    const uncounted = positions.filter(({ stream, at }) => {
      const own = this.#heads.get(stream);
      return own !== undefined && (own.epoch !== at.epoch || own.seq > at.seq) && own.seq > 0;
    });
    for (const { stream } of uncounted)
      if ((await countStream(this.#app, stream, byForce)) === "busy") await this.#app.clock.sleep(lookMs);
    return uncounted.length > 0;
  }

  /** @returns whether there was something */
  async #catchUp(group: Row, positions: readonly Position[]): Promise<boolean> {
    const ahead = positions.filter(({ stream, at }) => at.seq !== this.#heads.get(stream)?.seq);
    for (const { stream, at: head } of ahead) {
      const at = this.#heads.get(stream) ?? head;
      const happened = await happenedIn(this.#app, { stream, at, head, state: "behind" });
      const plan = await planOf(this.#app, { ...group, ...this.#list }, stream, happened);
      this.#heads.set(stream, head);
      if (plan === undefined || plan.parts.length === 0) continue;
      this.#list = plan.list ?? this.#list;
      await this.#app.clock.sleep(pauseMs);
      await this.#send(pushFrames(this.#opening.watchId, plan.parts, this.#last + 1));
      this.#last += plan.parts.length;
    }
    return ahead.length > 0;
  }

  /** @returns false when a later request has taken its place, or the watch was closed */
  async #activate(shift: number, group: Row): Promise<boolean> {
    const { connection, watchId } = this.#opening;
    let isOwn = false;
    await this.#app.db.flight({
      statements: [lockWatch(connection, watchId)],
      decide: ([rows = []]) => {
        isOwn = rows[0]?.opening === this.#name;
        if (!isOwn) return [];
        return [activateWatch(connection, watchId, shift), ...this.#noteList(group)];
      },
      repeatable: true,
    });
    return isOwn;
  }

  /** The first one's list is known from then on. Where it is not what the others have, the next list goes to all as a whole. */
  #noteList({ digest, counter }: Row) {
    if (this.#group.kind === "direct" || digest === this.#list.digest) return [];
    return [setKnown(this.#id, Number(counter), digest === "" ? this.#list : unknownList)];
  }

  /** What was committed meanwhile, and whose function did not find this watch. */
  async #count(positions: readonly Position[]): Promise<void> {
    for (const { stream, state } of positions) if (state !== "current") await countStream(this.#app, stream);
  }
}

/** Whether the path fits into its column; groups under another one are asked about each change. */
const isColumnText = (path: string) => /^[\x21-\x7e]{1,64}$/.test(path);

/**
 * Streams that groups of this process follow, each up to a position that all its groups have been told. A group that joins has read
 * its list as of a head at or behind the position; what lies between it has been told meanwhile.
 */
import { type Head, noHead } from "../../db/streams.ts";
import type { NumberedEvent } from "../pushes.ts";
import type { Commit } from "./changes.ts";
import { WatchIndex } from "./watch_index.ts";
import type { LiveGroup } from "./watch_live_group.ts";

interface Feed {
  /** Groups that watch the stream's collection. */
  readonly own: WatchIndex<LiveGroup>;
  /** Groups that an event of the stream makes read anew. */
  readonly further: Set<LiveGroup>;
  /** Undefined: no group has read its list yet. */
  position: Head | undefined;
  /** From this number on, everything up to the position was told. */
  since: number;
}

export interface FeedsOptions {
  /** The documents of a collection's commits; undefined where they are not all there. */
  readonly readCommits: (stream: string, after: number, upTo: number) => Promise<readonly Commit[] | undefined>;
  /** A head that was read: later events are to be told. */
  readonly start: (stream: string, head: Head) => void;
}

/** Queries that a change is held against before other work of the event loop gets its turn. */
const perTurn = 100;

export class WatchFeeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #options: FeedsOptions;
  readonly #streamsOf = new Map<LiveGroup, Set<string>>();

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  streams(): readonly string[] {
    return [...this.#feeds.keys()];
  }

  isRead(stream: string): boolean {
    return this.#feeds.has(stream);
  }

  /** @param stream of the group's own collection, whose commits are held against its query */
  followOwn(group: LiveGroup, stream: string): void {
    this.#feedOf(stream).own.add(group, group.group.equality);
    this.#note(group, stream);
  }

  followFurther(group: LiveGroup, streams: Iterable<string>): void {
    for (const stream of streams) {
      this.#feedOf(stream).further.add(group);
      this.#note(group, stream);
    }
  }

  /** The streams that a group follows. */
  streamsOf(group: LiveGroup): readonly string[] {
    return [...(this.#streamsOf.get(group) ?? [])];
  }

  leave(group: LiveGroup): void {
    for (const stream of this.streamsOf(group)) {
      const feed = this.#feedOf(stream);
      feed.own.remove(group, group.group.equality);
      feed.further.delete(group);
      if (feed.own.size + feed.further.size === 0) this.#feeds.delete(stream);
    }
    this.#streamsOf.delete(group);
  }

  #note(group: LiveGroup, stream: string): void {
    this.#streamsOf.set(group, (this.#streamsOf.get(group) ?? new Set()).add(stream));
  }

  #feedOf(stream: string): Feed {
    const known = this.#feeds.get(stream);
    if (known !== undefined) return known;
    const feed: Feed = { own: new WatchIndex(), further: new Set(), position: undefined, since: 0 };
    this.#feeds.set(stream, feed);
    return feed;
  }

  /**
   * A group has read its list as of this head. @returns false when what was told does not lead from there to the position: it must read
   * again. The second time the head is right, and what was told is of another history.
   */
  reached(stream: string, head: Head, reader: LiveGroup, isSecondTry: boolean): boolean {
    const feed = this.#feedOf(stream);
    const { position } = feed;
    if (position === undefined) {
      feed.position = head;
      feed.since = head.seq;
    } else if (!isSame(position, head) || head.seq < feed.since) {
      if (!isSecondTry) return false;
      this.#startAt(feed, head, reader);
    }
    this.#options.start(stream, head);
    return true;
  }

  /** Tells the groups of events that continue the position; some may have been told before. */
  async publish(stream: string, events: readonly NumberedEvent[]): Promise<void> {
    const feed = this.#feeds.get(stream);
    const last = events.at(-1);
    if (feed === undefined || last === undefined) return;
    const first = freshIn(events, feed.position);
    if (first === "none") return;
    if (first === undefined) return this.#startAt(feed, last);
    const hasOwn = feed.own.size > 0;
    const commits = hasOwn ? await this.#options.readCommits(stream, first.seq - 1, last.seq) : [];
    if (feed.position === undefined) feed.since = first.seq - 1;
    feed.position = { epoch: last.epoch, seq: last.seq, tag: last.tag };
    if (commits === undefined) for (const group of feed.own.all()) group.relist();
    const concerned = new Set<LiveGroup>();
    let matched = 0;
    for (const commit of commits ?? [])
      for (const group of feed.own.find(commit.changes)) {
        // Queries without an equality are held against every change, and there may be thousands of them.
        if (++matched % perTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        group.commit(commit, stream, { epoch: last.epoch, seq: commit.seq, tag: last.tag });
        concerned.add(group);
      }
    for (const group of concerned) group.flush();
    for (const group of feed.further) group.touch(stream, feed.position);
  }

  /** The stream has another history. */
  restart(stream: string, head: Head): void {
    const feed = this.#feeds.get(stream);
    if (feed === undefined) return;
    const { position } = feed;
    if (position?.epoch === head.epoch && position.seq === head.seq && position.tag === head.tag) return;
    this.#startAt(feed, head);
  }

  #startAt(feed: Feed, { epoch, seq, tag }: Head, reader?: LiveGroup): void {
    feed.position = { epoch, seq, tag };
    feed.since = seq;
    for (const group of [...feed.own.all(), ...feed.further]) if (group !== reader) group.relist();
  }
}

const isUnwritten = ({ epoch, seq }: Head) => epoch === noHead.epoch && seq === 0;

/** Whether both may be heads of one history. */
const isSame = (a: Head, b: Head) => a.epoch === b.epoch || isUnwritten(a) || isUnwritten(b);

/** The first event behind the position; "none" when all were told, undefined when they do not continue it. */
function freshIn(events: readonly NumberedEvent[], position: Head | undefined): NumberedEvent | "none" | undefined {
  if (position === undefined) return events[0];
  const fresh = events.find((event) => event.epoch !== position.epoch || event.seq > position.seq);
  if (fresh === undefined)
    return events.at(-1)?.seq !== position.seq || events.at(-1)?.tag === position.tag ? "none" : undefined;
  const continues = fresh.seq === position.seq + 1 && fresh.prev === position.tag;
  return continues && isSame({ ...fresh }, position) ? fresh : undefined;
}

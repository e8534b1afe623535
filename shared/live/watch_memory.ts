/** Watches of the sockets of this process, in memory. */
import { type Head, noHead } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { collectionIn, collectionStream, isCollectionStream } from "../collection.ts";
import { type AppError, TooManyWatches } from "../errors.ts";
import type { NumberedEvent, WatchReceiver } from "../pushes.ts";
import { builtIns } from "./built_in.ts";
import { readCommits } from "./changes.ts";
import { HeadReader } from "./head_reader.ts";
import { vendorError } from "./vendor_codes.ts";
import { WatchFeeds } from "./watch_feeds.ts";
import { watchErrorFrame } from "./watch_frames.ts";
import { type Group, groupOf } from "./watch_group.ts";
import { LiveGroup, type LiveGroupOptions } from "./watch_live_group.ts";
import { WatchMember } from "./watch_member.ts";
import { WatchOutbox } from "./watch_outbox.ts";
import type { Opening, Watcher, Watches } from "./watch_port.ts";

interface Place {
  readonly member: WatchMember;
  readonly group: LiveGroup;
}

/** After an answer to a watch, its next frame waits for so long. */
const gapMs = 30;
const maxListed = 1_000;
/** A watch of which nothing was heard for so long gives way to a new one of its connection. */
const silentMs = 120_000;

export class MemoryWatches implements Watches, WatchReceiver {
  readonly #app: () => App;
  readonly #feeds: WatchFeeds;
  readonly #outbox: WatchOutbox;
  readonly #heads = new HeadReader();
  readonly #groups = new Map<string, LiveGroup>();
  /** Connection → watchId → watch. */
  readonly #places = new Map<string, Map<string, Place>>();

  constructor(app: () => App) {
    this.#app = app;
    this.#outbox = new WatchOutbox(app);
    this.#feeds = new WatchFeeds({
      readCommits: (stream, after, upTo) => readCommits(app(), collectionIn(stream), after, upTo),
      start: (stream, head) => {
        app()
          .pushes?.start(stream, head)
          .catch((error) => app().log.error("push", { stream }, error));
      },
    });
  }

  // --- Events of streams -----------------------------------------------------------------------------------------------

  streams = () => this.#feeds.streams();
  isRead = (stream: string) => this.#feeds.isRead(stream);

  async publish(stream: string, events: readonly NumberedEvent[]): Promise<void> {
    await this.#feeds.publish(stream, events);
    // A kitchen's event does not wait for whoever watches collections.
    const sent = this.#outbox.send();
    if (isCollectionStream(stream)) await sent;
  }

  async restart(stream: string, head: Head): Promise<void> {
    this.#feeds.restart(stream, head);
  }

  // --- Clients ---------------------------------------------------------------------------------------------------------

  async open(app: App, opening: Opening): Promise<void> {
    const { connection, watchId } = opening;
    const made = groupOf(app, opening.spec, opening.caller);
    const builtIn = made.collection === undefined ? builtIns.get(made.spec.collection) : undefined;
    const further = (await builtIn?.streams(app, opening.caller, made.condition)) ?? made.further;
    const { watchesPerConnection } = app.config.limits;
    const places = this.#places.get(connection) ?? new Map<string, Place>();
    const before = places.get(watchId);
    if (before === undefined && places.size >= watchesPerConnection) this.#removeSilent(app, places);
    if (before === undefined && places.size >= watchesPerConnection) throw new TooManyWatches(watchesPerConnection);
    const member = new WatchMember(opening, app.clock.now(), before?.member.counter ?? 0);
    this.#remove(before);
    const group = this.#groupFor(app, made, opening, further);
    this.#places.set(connection, places.set(watchId, { member, group }));
    await new Promise<void>((answered, refused) => group.join({ member, answered, refused })).catch((error) => {
      this.#remove({ member, group });
      throw error;
    });
    await this.#outbox.send();
  }

  #groupFor(app: App, made: Group, { caller }: Opening, further: readonly string[]): LiveGroup {
    const options = this.#optionsOf(app, caller);
    const group = this.#groups.get(made.key) ?? new LiveGroup(made, options);
    group.options = options;
    // Before the list is read: what is committed from now on is told.
    this.#groups.set(made.key, group);
    if (made.collection !== undefined) this.#feeds.followOwn(group, collectionStream(made.collection.name));
    this.#feeds.followFurther(group, further);
    return group;
  }

  #optionsOf(app: App, caller: Opening["caller"]): LiveGroupOptions {
    return {
      app,
      caller,
      connects: (heads, group, isSecondTry) => {
        if (group.group.collection === undefined) this.#feeds.followFurther(group, heads.keys());
        return [...heads].every(([stream, head]) => this.#feeds.reached(stream, head, group, isSecondTry));
      },
      flush: (members) => {
        for (const member of members) this.#push(member, member.takeFrame());
        void this.#outbox.send();
      },
      answer: (member, frame) => {
        this.#push(member, frame);
        this.#hold(member);
        void this.#outbox.send();
      },
      end: (member, error) => this.#end(member, error),
    };
  }

  #push(member: WatchMember, frame: string | undefined): void {
    if (frame === undefined || member.isClosed) return;
    if (member.held === undefined) this.#outbox.add({ connection: member.opening.connection, frame });
    else member.held.push(frame);
  }

  #hold(member: WatchMember): void {
    member.held = [];
    const app = this.#app();
    app.clock
      .sleep(gapMs)
      .then(() => {
        const { held = [] } = member;
        member.held = undefined;
        for (const frame of held) this.#outbox.add({ connection: member.opening.connection, frame });
        return this.#outbox.send();
      })
      .catch((error) => app.log.error("watch.push", {}, error));
  }

  #end(member: WatchMember, error: AppError): void {
    const { connection, watchId, requestId } = member.opening;
    this.#push(member, watchErrorFrame(requestId, vendorError(error), watchId));
    const place = this.#places.get(connection)?.get(watchId);
    if (place?.member === member) this.#remove(place, true);
    void this.#outbox.send();
  }

  #remove(place: Place | undefined, isEnded = false): void {
    if (place === undefined) return;
    const { member, group } = place;
    const { connection, watchId } = member.opening;
    member.isClosed = true;
    // Its client has closed it; of a watch that has ended for a reason, the reason is still on its way.
    if (!isEnded && member.held !== undefined) member.held = [];
    group.leave(member);
    const places = this.#places.get(connection);
    if (places?.get(watchId)?.member === member) places.delete(watchId);
    if (places?.size === 0) this.#places.delete(connection);
    if (!group.isEmpty || this.#groups.get(group.group.key) !== group) return;
    this.#groups.delete(group.group.key);
    this.#feeds.leave(group);
  }

  /** The vendor's client says nothing of a watch that it closes while its list is on the way; of others it checks every 10 s. */
  #removeSilent(app: App, places: ReadonlyMap<string, Place>): void {
    const before = app.clock.now() - silentMs;
    for (const place of [...places.values()]) if (place.member.heardAt < before) this.#remove(place);
  }

  async check(
    app: App,
    { connection, watchId, queryId }: { connection: string; watchId: string; queryId: string },
    eventId: number,
  ): Promise<number> {
    const place = this.#places.get(connection)?.get(watchId);
    if (place === undefined || place.member.opening.queryId !== queryId) return eventId + 1;
    const { group, member } = place;
    member.heardAt = app.clock.now();
    const streams = this.#feeds.streamsOf(group);
    const heads = await this.#heads.read(app.db, streams);
    // What is committed and was not told is told now.
    await Promise.all(streams.map((stream) => app.pushes?.compare(stream, heads.get(stream) ?? noHead)));
    await group.idle();
    await this.#outbox.send();
    return member.counter === eventId ? eventId : eventId + 1;
  }

  async close(_: App, connection: string, watchId: string): Promise<void> {
    this.#remove(this.#places.get(connection)?.get(watchId));
  }

  async forget(_: App, connection: string): Promise<void> {
    for (const place of [...(this.#places.get(connection)?.values() ?? [])]) this.#remove(place);
  }

  /** Ends what would be tried again. */
  stop(): void {
    for (const group of this.#groups.values()) group.stop();
  }

  // --- For the owner's page --------------------------------------------------------------------------------------------

  async counts(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { member } of this.#all()) {
      const { collection } = member.opening.spec;
      counts.set(collection, (counts.get(collection) ?? 0) + 1);
    }
    return counts;
  }

  async watchers(): Promise<readonly Watcher[]> {
    return this.#all()
      .toSorted((a, b) => b.member.since - a.member.since)
      .slice(0, maxListed)
      .map(({ member }) => {
        const { spec, caller } = member.opening;
        const [user, kind] = [caller.session?.user ?? null, caller.session?.kind ?? "key"];
        return { collection: spec.collection, user, kind, query: spec.query, since: member.since };
      });
  }

  #all(): Place[] {
    return [...this.#places.values()].flatMap((places) => [...places.values()]);
  }
}

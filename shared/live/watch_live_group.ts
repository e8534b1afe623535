/**
 * A group in the memory of this process: its watches, and its list as far as it is kept. One read of the list at a time, for all that
 * wait for one; what is committed meanwhile is laid over it.
 */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import type { AppError } from "../errors.ts";
import { toAppError } from "../to_app_error.ts";
import type { Caller } from "./caller.ts";
import type { Commit, DocumentChange } from "./changes.ts";
import type { Document } from "./value.ts";
import { compareLists } from "./watch_compare.ts";
import { directEvents } from "./watch_events.ts";
import { template } from "./watch_frames.ts";
import type { Group } from "./watch_group.ts";
import { type Listing, readList } from "./watch_list.ts";
import { listTemplate, type WatchMember } from "./watch_member.ts";
import { applyToWindow } from "./watch_window.ts";

export interface Waiter {
  readonly member: WatchMember;
  readonly answered: () => void;
  readonly refused: (error: unknown) => void;
}

export interface LiveGroupOptions {
  /** Reads with the rights and the database of whoever asked last. */
  readonly app: App;
  readonly caller: Caller;
  /** Whether the commits told to this process lead from the list's heads to the present; takes note of the heads. */
  readonly connects: (heads: Listing["heads"], group: LiveGroup, isSecondTry: boolean) => boolean;
  /** Sends what was queued for these watches, and the answers. */
  readonly flush: (members: Iterable<WatchMember>) => void;
  readonly answer: (member: WatchMember, frame: string) => void;
  /** Ends a watch that has no list any more. */
  readonly end: (member: WatchMember, error: AppError) => void;
}

/** The pause after a read that failed, while watches wait for it. */
const retryMs = 1_000;

export class LiveGroup {
  readonly group: Group;
  /** Watches that are told of commits. */
  readonly members = new Set<WatchMember>();
  /** The last number of its watches: those that begin now go on from it, so that one text serves all. */
  counter = 1;
  options: LiveGroupOptions;
  /** Watches whose list is being read, or will be. */
  #waiting: Waiter[] = [];
  #joining: readonly Waiter[] = [];
  /** Watches that are to have the whole list anew: of a list without an order nothing is known but commits. */
  readonly #relisted = new Set<WatchMember>();
  #window: readonly Document[] | undefined;
  #from = 0;
  /** Commits during a read, and stream → the event after which the list must be read. */
  #buffer: Commit[] | undefined;
  readonly #dirty = new Map<string, Head>();
  #mustRead = false;
  /** What is being read belongs to another history. */
  #isStale = false;
  #isStopped = false;
  /** Something was queued for its watches and is not sent yet. */
  #hasQueued = false;
  readonly #causes = new Map<string, DocumentChange>();
  #running: Promise<void> | undefined;

  constructor(group: Group, options: LiveGroupOptions) {
    this.group = group;
    this.options = options;
  }

  get isEmpty(): boolean {
    return this.members.size + this.#waiting.length + this.#joining.length + this.#relisted.size === 0;
  }

  /** Resolves when no read is running. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Ends what would be tried again. */
  stop(): void {
    this.#isStopped = true;
  }

  join(waiter: Waiter): void {
    this.#waiting.push(waiter);
    this.#wake();
  }

  leave(member: WatchMember): void {
    this.members.delete(member);
    this.#relisted.delete(member);
    this.#waiting = this.#waiting.filter((one) => one.member !== member);
  }

  /** The list must be read anew: what was told does not lead to the present. */
  relist(): void {
    if (this.#buffer !== undefined) this.#isStale = true;
    if (this.members.size + this.#relisted.size === 0) return;
    if (this.group.kind === "direct") {
      for (const member of this.members) this.#relisted.add(member);
      for (const { buffer } of this.members) buffer.length = 0;
      this.members.clear();
    }
    this.#dirty.clear();
    this.#mustRead = true;
    this.#wake();
  }

  /** An event of a stream that the list follows from, in a way that only a read tells. */
  touch(stream: string, head: Head): void {
    this.#dirty.set(stream, head);
    this.#wake();
  }

  /** A commit of its collection. @param head of the collection's stream after it */
  commit(commit: Commit, stream: string, head: Head): void {
    const { kind, visible } = this.group;
    try {
      if (kind === "direct") this.#tell(commit);
      else if (!commit.changes.some(({ before, after }) => isSeen(before, visible) || isSeen(after, visible))) return;
      else if (kind === "read") this.touch(stream, head);
      else if (this.#buffer !== undefined) this.#buffer.push(commit);
      else this.#apply(commit, stream, head);
    } catch (error) {
      // A query with `$expr` may take too many steps on a document: reading says so to whoever watches.
      toAppError(this.options.app, error);
      this.relist();
    }
  }

  /** Sends what commits have queued. */
  flush(): void {
    if (!this.#hasQueued) return;
    this.#hasQueued = false;
    this.options.flush(this.members);
  }

  #tell(commit: Commit): void {
    const events = directEvents(commit, this.group.visible);
    if (events.length === 0) return;
    const step = { seq: commit.seq, events: template(events) };
    for (const { member } of [...this.#waiting, ...this.#joining]) member.buffer.push(step);
    for (const member of this.#relisted) member.buffer.push(step);
    let isTold = false;
    for (const member of this.members)
      if (commit.seq > member.from) {
        member.queue(step.events);
        isTold = true;
      }
    if (isTold) this.#counts();
  }

  #apply(commit: Commit, stream: string, head: Head): void {
    if (commit.seq <= this.#from || this.#window === undefined) return;
    this.#remember(commit);
    const { spec, order, visible } = this.group;
    const next = this.#isDirty
      ? undefined
      : applyToWindow(this.#window, commit.changes, { limit: spec.limit, order, visible });
    if (next === undefined) this.touch(stream, head);
    else this.#show(next);
  }

  #remember({ changes }: Commit): void {
    for (const change of changes)
      this.#causes.set(change.id, { ...change, before: this.#causes.get(change.id)?.before ?? change.before });
  }

  /** Leads the watches from the list that they have to this one. */
  #show(documents: readonly Document[]): void {
    const { spec, visible, kind } = this.group;
    const before = this.#window;
    this.#window = documents;
    const causes = kind === "window" ? { causes: new Map(this.#causes), visible } : {};
    this.#causes.clear();
    if (before === undefined || this.members.size === 0) return;
    const events = compareLists(before, documents, { sorts: spec.sorts, ...causes });
    if (events.length === 0) return;
    const made = template(events);
    const isList = events[0]?.queueType === "init";
    for (const member of this.members) member.queue(made, isList);
    this.#counts();
  }

  /** Its watches have one number more. */
  #counts(): void {
    this.counter++;
    this.#hasQueued = true;
  }

  // --- Reading ---------------------------------------------------------------------------------------------------------

  get #needsRead(): boolean {
    return this.#waiting.length > 0 || (this.#isDirty && !this.isEmpty);
  }

  get #isDirty(): boolean {
    return this.#mustRead || this.#dirty.size > 0;
  }

  #wake(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Those that come in the same turn of the event loop share the read.
    await undefined;
    try {
      do await this.#readWhileNeeded();
      while (this.#needsRead && !this.#isStopped);
    } finally {
      // In the same turn in which nothing more was needed: what comes next starts the next run.
      this.#buffer = undefined;
      this.#running = undefined;
    }
  }

  async #readWhileNeeded(): Promise<void> {
    for (let tries = 0; !this.#isStopped && (this.#needsRead || this.#joining.length > 0); ) {
      this.#joining = [...this.#joining, ...this.#waiting.splice(0)];
      this.#buffer = [];
      this.#mustRead = false;
      this.#isStale = false;
      const { app, caller } = this.options;
      try {
        const list = await readList(app, caller, this.group);
        if (this.#isStale || !this.options.connects(list.heads, this, tries > 0)) {
          tries++;
          this.#mustRead = true;
          continue;
        }
        tries = 0;
        this.#adopt(list);
      } catch (error) {
        if (!(await this.#failed(error))) tries = 0;
      }
    }
  }

  #adopt({ documents, heads }: Listing): void {
    const { kind, collection } = this.group;
    const ownStream = collection === undefined ? "" : collectionStream(collection.name);
    const own = heads.get(ownStream);
    for (const [stream, { epoch, seq }] of this.#dirty) {
      const head = heads.get(stream);
      const isBehind = head !== undefined && head.seq < seq && (head.epoch === epoch || head.seq === 0);
      if (!isBehind) this.#dirty.delete(stream);
    }
    const joining = this.#joining.filter(({ member }) => !member.isClosed);
    const relisted = [...this.#relisted];
    this.#joining = [];
    this.#relisted.clear();
    const list = listTemplate(documents);
    if (kind === "direct") for (const member of relisted) member.queue(list, true);
    else this.#show(documents);
    const buffer = this.#buffer ?? [];
    this.#buffer = undefined;
    this.#from = own?.seq ?? 0;
    if (relisted.length > 0) this.counter++;
    this.flush();
    this.options.flush(relisted);
    for (const { member, answered } of joining) {
      // The others have had these numbers; it gets them behind the answer.
      const ahead = member.buffer.filter(({ seq }) => seq > this.#from).length;
      const frame = member.answer(list, documents.length === 0, Math.max(1, this.counter - ahead));
      this.options.answer(member, frame);
      this.members.add(member);
      answered();
    }
    for (const member of [...relisted, ...joining.map((one) => one.member)]) {
      this.members.add(member);
      member.from = this.#from;
      for (const step of member.buffer.splice(0)) if (step.seq > member.from) member.queue(step.events);
    }
    for (const commit of buffer) if (own !== undefined) this.commit(commit, ownStream, { ...own, seq: commit.seq });
    this.options.flush([...relisted, ...joining.map((one) => one.member)]);
    this.flush();
  }

  /** @returns whether it is to be tried again */
  async #failed(error: unknown): Promise<boolean> {
    const { app } = this.options;
    const refusal = toAppError(app, error);
    if (refusal.status >= 500) {
      this.#mustRead = true;
      await app.clock.sleep(retryMs);
      this.#joining = this.#joining.filter(({ member }) => !member.isClosed);
      return true;
    }
    const [joining, members] = [this.#joining, [...this.members, ...this.#relisted]];
    this.#joining = [];
    this.#dirty.clear();
    this.#buffer = undefined;
    for (const { refused } of joining) refused(refusal);
    for (const member of members) this.options.end(member, refusal);
    return false;
  }
}

const isSeen = (document: Document | undefined, visible: (document: Document) => boolean) =>
  document !== undefined && visible(document);

/** Watches over a real socket, as the vendor's client has them: frames of facts 3, its list, its REBUILD of a gap. */
import { WebSocket } from "ws";
import { until } from "../_until.ts";
import { ClientList, type Doc, type WireEvent } from "./_watch_client.ts";

export interface Frame {
  readonly msgType: string;
  readonly watchId?: string;
  readonly requestId: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly msgData: any;
}

export interface WatchAsk {
  readonly query?: unknown;
  readonly orderBy?: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly sorts?: boolean;
}

/** One socket with watches. */
export class Watcher {
  readonly frames: Frame[] = [];
  readonly lists = new Map<string, WatchedList>();
  readonly socket: WebSocket;
  /** The close code. */
  readonly closed: Promise<number>;
  #n = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.on("close", (code) => resolve(code)));
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const frame = JSON.parse(data.toString()) as Frame;
      this.frames.push(frame);
      this.lists.get(frame.watchId ?? "")?.take(frame);
    });
  }

  static async open(url: string, ticket: string): Promise<Watcher> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/pgws?ticket=${ticket}`);
    const watcher = new Watcher(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    return watcher;
  }

  /** Sends a message and gives the frame that answers it. */
  async ask(msgType: string, msgData: unknown, watchId?: string): Promise<Frame> {
    const requestId = this.send(msgType, msgData, watchId);
    await until(
      () => this.frames.some((frame) => frame.requestId === requestId),
      `an answer to ${msgType}`,
      () => this.frames.slice(-5),
    );
    return this.frames.find((frame) => frame.requestId === requestId) as Frame;
  }

  send(msgType: string, msgData: unknown, watchId?: string): string {
    this.#n += 1;
    const requestId = `request_${this.#n}`;
    this.socket.send(JSON.stringify({ watchId, requestId, msgType, msgData }));
    return requestId;
  }

  async watch(collName: string, ask: WatchAsk = {}): Promise<WatchedList> {
    const watchId = `watchid_${this.#n}_${Math.random()}`;
    const list = new WatchedList(this, watchId);
    this.lists.set(watchId, list);
    const { query = {}, ...more } = ask;
    const frame = await this.ask(
      "INIT_WATCH",
      { envId: "e", collName, query: JSON.stringify(query), ...more },
      watchId,
    );
    if (frame.msgType !== "INIT_EVENT") throw new Error(JSON.stringify(frame.msgData));
    return list;
  }

  close(): void {
    this.socket.close();
  }
}

/** One watch, with the list that the vendor's client would have. */
export class WatchedList {
  readonly watchId: string;
  watcher: Watcher;
  queryId = "";
  readonly list = new ClientList();
  readonly pushes: Frame[] = [];
  rebuilds = 0;
  error: unknown;
  /** While it waits for an answer, what else comes is thrown away. */
  #waitsFor: string | undefined;

  constructor(watcher: Watcher, watchId: string) {
    this.watcher = watcher;
    this.watchId = watchId;
  }

  get docs(): readonly Doc[] {
    return this.list.docs;
  }

  /** Whether it waits for the answer to REBUILD. */
  get waits(): boolean {
    return this.#waitsFor !== undefined;
  }

  get ids(): string[] {
    return this.list.docs.map(({ _id }) => _id);
  }

  take(frame: Frame): void {
    const events = (frame.msgData?.events ?? []) as WireEvent[];
    if (frame.msgType === "INIT_EVENT") {
      this.queryId = frame.msgData.queryID;
      this.list.init(frame.msgData.currEvent, events);
      return;
    }
    if (frame.msgType === "ERROR") this.error = frame.msgData;
    if (this.#waitsFor !== undefined && frame.requestId !== this.#waitsFor) return;
    this.#waitsFor = undefined;
    if (frame.msgType !== "NEXT_EVENT") return;
    this.pushes.push(frame);
    this.list.apply(events);
    if (this.list.hasGap) this.rebuild();
  }

  /** Asks for the list anew, on this or another socket. */
  rebuild(watcher: Watcher = this.watcher): void {
    this.watcher.lists.delete(this.watchId);
    this.watcher = watcher;
    watcher.lists.set(this.watchId, this);
    this.list.hasGap = false;
    this.rebuilds += 1;
    const data = { envId: "e", collName: "", queryID: this.queryId, eventID: this.list.at };
    this.#waitsFor = watcher.send("REBUILD_WATCH", data, this.watchId);
  }

  /** @returns what CHECK_LAST is answered with */
  async check(): Promise<number> {
    const data = { queryID: this.queryId, eventID: this.list.at };
    const { msgData } = await this.watcher.ask("CHECK_LAST", data, this.watchId);
    return msgData.currEvent as number;
  }
}

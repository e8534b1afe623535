/**
 * Subscription to one stream: requests missing events, takes the answers to its own questions only, and begins anew from a
 * snapshot when the server says so.
 */
import type { Position, ServerMessage, StreamEvent, StreamRequest } from "../shared/protocol.ts";
import { ApiError, mayRetry } from "./api.ts";
import { safely } from "./emitter.ts";
import { type FreshnessListeners, makeFreshness } from "./freshness.ts";
import type { Platform } from "./platform.ts";
import { makeReader } from "./reader.ts";
import { waitAfter } from "./retry.ts";
import { maxStreams } from "./timing.ts";

export interface Subscription {
  /** Called with each event once, in order. Returning "again" fetches the state anew. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most say nothing
  onEvent(event: StreamEvent): "again" | void;
  /**
   * Fetches the state that the stream continues, shows it while `still()`, and returns its position, and its stream
   * if that was not known before. Called at the start and after a reset. Without it the stream begins now.
   */
  snapshot?: (still: () => boolean) => Promise<Position & { stream?: string }>;
  /** The subscription has ended: not allowed, unknown, withdrawn. */
  onError?: ((error: ApiError) => void) | undefined;
  /** The grant, for rooms. */
  grant?: string;
  position?: Position;
}

/** A subscription, as the channel uses it. */
export interface OpenSubscription {
  stream: string;
  readonly grant: string | undefined;
  _position(): Position | undefined;
  _isClosed(): boolean | undefined;
  /** Nothing was missing by the server's last message about it, and nothing since then says otherwise. */
  _isCurrent(): boolean | undefined;
  /** There is something to ask; false while the state has to be fetched first. */
  _mayAsk(): boolean;
  /** The time of its oldest question without an answer. */
  _askedAt(): number | undefined;
  /** Makes the next check due now. */
  _isDue(): boolean;
  /** Adds its question to a message with this number. @returns whether there was room for it */
  _ask(asks: Map<string, StreamRequest>, number: number): boolean;
  /** Fetches the state where there is none. @param anew the user is another one: whose own stream is another, too */
  _begin(anew?: boolean): void;
  /** Takes a message about its stream. */
  _receive(message: ServerMessage): void;
  /** Takes the answer to all questions up to this number. */
  _settle(to: number, checkMs: number, fits: boolean, more?: boolean): void;
  /** Takes an answer that came by polling. @returns whether the reader has everything up to the answer's position */
  _receivePolled(answer: Polled): boolean | undefined;
  /** Takes an error. @returns whether another try may succeed later */
  _fail(error: unknown): boolean;
  /** The socket is lost. @param polling the stream is polled already */
  _disconnect(polling: boolean): void;
  close(): void;
}

type Polled = Position & { events: StreamEvent[]; more: boolean; reset?: string };

export interface SubscriptionListeners extends FreshnessListeners {
  /** Codes that end a subscription, since another try fails too: not allowed, unknown, withdrawn, signed out. */
  _error(error: unknown): void;
}

export function openSubscription(
  platform: Platform,
  stream: string,
  subscription: Subscription,
  on: SubscriptionListeners,
): OpenSubscription {
  const { snapshot, grant } = subscription;
  const reader = makeReader(subscription.position);
  const fresh = makeFreshness(platform, reader._dropEarly, on);
  let closed: boolean | undefined;
  /** The snapshot that is being fetched. */
  let resetting: object | undefined;

  const lacksState = () => snapshot && !reader._position();

  const reset = async (failed = 0): Promise<void> => {
    if (!snapshot) return;
    const mine = {};
    const still = () => !closed && resetting === mine;
    resetting = mine;
    fresh._clear();
    reader._restart();
    try {
      const at = await snapshot(still);
      if (!still()) return;
      sub.stream = at.stream ?? sub.stream;
      reader._restart(at);
      resetting = undefined;
      on._heard();
      on._ask();
    } catch (error) {
      if (!still()) return;
      if (fail(error)) platform.later(() => still() && reset(failed + 1), waitAfter(error, failed + 1, platform));
      else resetting = undefined;
    }
  };

  const fail = (error: unknown): boolean => {
    fresh._current = false;
    const passes = mayRetry(error);
    if (!passes) on._error(error);
    return passes;
  };

  /** @returns whether an earlier event has not come */
  const take = (at: Position, events: readonly StreamEvent[]): boolean => {
    on._heard();
    if (lacksState()) return false;
    const [due, missing, strange] = reader._take(at, events);
    if (strange) fresh._again = true;
    let anew: boolean | undefined;
    for (const event of due)
      if (!closed)
        void safely(platform, () => {
          const said = subscription.onEvent(event);
          anew ||= said === "again";
          return said;
        });
    if (anew) void reset();
    return (missing || strange) && !anew;
  };

  /** Without a snapshot the subscription has no state to fetch: it continues from the stream's head. */
  const restart = (head: Position): void => {
    if (snapshot) return void reset();
    fresh._clear();
    reader._restart(head);
    on._ask();
  };

  const sub: OpenSubscription = {
    stream,
    grant,
    _position: reader._position,
    _isClosed: () => closed,
    _isCurrent: () => fresh._current,
    _mayAsk: () => !closed && !lacksState(),
    _askedAt: () => [...fresh._asked.values()][0],
    _isDue: () => platform.now() >= fresh._checkAt,
    _ask(asks, number) {
      const { stream } = sub;
      const one: StreamRequest = { stream, ...reader._position(), grant };
      // One position per stream and message, since an answer names only stream and number.
      if ((asks.get(stream) ?? one).tag !== one.tag || asks.size >= maxStreams) return false;
      asks.set(stream, one);
      fresh._ask(number);
      return true;
    },
    _begin(anew) {
      if (lacksState() ? anew || !resetting : anew && !stream) void reset();
    },
    _receive(message) {
      switch (message.type) {
        case "event":
          if (take(message, [message])) fresh._doubt();
          return;
        case "head":
          // A position below its own: the answer is late, or the stream has gone back.
          if (reader._has(message)) fresh._checkAt = 0;
          else {
            fresh._again = true;
            fresh._doubt();
          }
          return;
        case "resumed":
          take(message, message.events);
          fresh._settle(message.n, message.checkMs, reader._has(message), message.more);
          return;
        case "reset":
          // After a new beginning there are no questions yet.
          if (fresh._asked.has(message.n)) restart(message);
          return;
        case "error":
          if (message.id) return;
          if (message.retry) fresh._postpone();
          else fail(new ApiError(message.code, 403, message.message));
      }
    },
    _settle: fresh._settle,
    _receivePolled(answer) {
      if (answer.reset) return void restart(answer);
      take(answer, answer.events);
      const fits = reader._has(answer);
      fresh._current = fits && !answer.more;
      return fits;
    },
    _fail: fail,
    _disconnect(polling) {
      // Early events from this socket may belong to a history that has ended.
      reader._dropEarly();
      fresh._clear(polling);
    },
    close() {
      closed = true;
    },
  };
  return sub;
}

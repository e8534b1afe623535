/**
 * One watch of a query, over the client's socket. It asks for the whole list at the start, after each loss of the socket and where an
 * event is missing, under a new name each time, so that nothing late is taken for something new; and it asks without end.
 */
import { ApiError } from "../api.ts";
import type { Channel } from "../channel.ts";
import { safely } from "../emitter.ts";
import type { Timer } from "../platform.ts";
import { waitAfter } from "../retry.ts";
import type { OpenSubscription, openSubscription } from "../subscription.ts";
import { answerMs } from "../timing.ts";
import { type List, type ListMessage, makeList } from "./list.ts";
import type { OrderField } from "./order.ts";
import type { ListListener, ListState, ListWatch } from "./types.ts";

/** What is watched, as INIT_WATCH says it. */
export interface WatchedQuery {
  collName: string;
  /** JSON. */
  query: string;
  orderBy: Record<string, string>;
  limit?: number | undefined;
  /** This client sorts: the server needs not send a list anew where only its order is another one. */
  sorts: true;
}

interface Frame {
  watchId?: string;
  requestId: string;
  msgType: string;
  msgData: ListMessage & { queryID: string; code: string; message: string; retry?: boolean };
}

const isFrame = (message: object | undefined): message is Frame => message !== undefined && "msgType" in message;

/** A watch that has been silent for this long asks whether it lacks something. */
const checkMs = 15_000;
/** Events that overtake each other get this long. */
const graceMs = 500;
/** Names of watches and of questions, unique in this process. */
let names = 0;

/** Watches until it is closed. */
export function watchQuery<T extends object>(
  channel: Channel,
  query: WatchedQuery,
  order: readonly OrderField[],
  listener: ListListener<T>,
): ListWatch<T> {
  const list = makeList<T>(order, (documents, change) =>
    safely(channel.platform, () => listener.onChange(documents, change)),
  );
  let is: ListState = "connecting";
  const tell = (now: ListState) => {
    if (now === is) return;
    is = now;
    void safely(channel.platform, () => listener.onState?.(now));
  };
  const stop = channel.subscribe(
    "",
    { onEvent() {}, onError: (error) => listener.onError?.(error) },
    opener(channel, query, list, tell),
  );
  return {
    documents: list._documents,
    state: () => is,
    close() {
      listener = { onChange() {} };
      stop();
    },
  };
}

/** What a stream has and a watch has not: the channel never asks for it, nor polls. */
const noStream = {
  grant: undefined,
  _position: () => undefined,
  _ask: () => true,
  _begin() {},
  _settle() {},
  _receivePolled: () => undefined,
  _fail: () => true,
};

/** Asks for the list, keeps it whole, and tells how it stands. */
const opener =
  (
    channel: Channel,
    query: WatchedQuery,
    list: List<unknown>,
    tell: (state: ListState) => void,
  ): typeof openSubscription =>
  (platform, stream, _, on) => {
    let isCurrent = false;
    let closed = false;
    /** The name of the list that is asked for, or that has come. */
    let watchId: string | undefined;
    /** The server's name of it. */
    let queryID: string | undefined;
    /** The question without an answer. Without `eventID` it asks for the list. */
    let asked: { requestId: string; at: number; patienceMs: number; eventID: number | undefined } | undefined;
    /** Lists asked for since the last proof that the list is whole. */
    let tries = 0;
    let beginAt = 0;
    let checkAt = 0;
    /** The last event that is known to exist. */
    let known = 0;
    let grace: Timer | undefined;

    function show(current: boolean): void {
      isCurrent = current;
      tell(current ? "live" : list._isShown() ? "stale" : "connecting");
    }

    /** @returns whether it was sent */
    function send(msgType: string, msgData: object | null, patienceMs = 0): boolean {
      const requestId = `r${++names}`;
      const sent = channel.send({ msgType, watchId, requestId, msgData });
      if (sent && msgData) asked = { requestId, at: platform.now(), patienceMs, eventID: list._at() };
      return sent;
    }

    const rest = () => {
      checkAt = platform.now() + checkMs * (1 + platform.random() / 4);
    };

    function ask(): void {
      if (closed || asked) return;
      rest();
      if (watchId) send("CHECK_LAST", { queryID, eventID: list._at() });
      else if (platform.now() < beginAt) checkAt = beginAt;
      else {
        watchId = `w${++names}`;
        // A long list on a slow network gets longer with each try.
        if (send("INIT_WATCH", query, answerMs * Math.min(tries, 5))) tries += 1;
        else watchId = undefined;
      }
    }

    function forget(): void {
      grace?.cancel();
      watchId = asked = grace = undefined;
      list._restart();
      show(false);
    }

    /** Asks for the whole list again. */
    function again(failed = 0): void {
      tries += failed;
      if (watchId) send("CLOSE_WATCH", null);
      forget();
      checkAt = beginAt = platform.now() + (tries && waitAfter({}, tries, platform));
      on._ask();
    }

    /** What is missing may be on its way. */
    function settle(): void {
      const lacks = list._lacks(known);
      show(!lacks && !list._isPart());
      if (lacks) grace ??= platform.later(again, graceMs);
      else {
        grace?.cancel();
        grace = undefined;
      }
    }

    function hear({ watchId: about, requestId, msgType, msgData }: Frame): void {
      const answered = requestId === asked?.requestId ? asked : undefined;
      if (closed || (!answered && (!watchId || about !== watchId))) return;
      const { currEvent } = msgData;
      on._heard(msgType !== "ERROR");
      rest();
      if (msgType === "ERROR") {
        if (msgData.retry) again(1);
        // The session has ended: a socket that answers nothing is made anew, and its ticket renews the session.
        else if (/^CHECK_LOGIN/.test(msgData.code)) asked = { requestId, at: 0, patienceMs: 0, eventID: 0 };
        else {
          watchId = undefined;
          show(false);
          on._error(new ApiError(msgData.code, 403, msgData.message));
        }
      } else if (msgType === "CHECK_EVENT") {
        if (!answered) return;
        asked = undefined;
        // Fewer than there were: another history.
        if (currEvent < (answered.eventID ?? 0)) again();
        else {
          known = currEvent;
          settle();
          if (isCurrent) tries = 0;
        }
      } else take(msgData, msgType === "INIT_EVENT");
    }

    function take(message: Frame["msgData"], isInit: boolean): void {
      if (isInit) {
        // A list begins once: this one came twice.
        if (list._at() !== undefined) return;
        queryID = message.queryID;
        known = 0;
      }
      if (!list._take(message, isInit)) {
        again(1);
        return;
      }
      if (asked && asked.eventID === undefined && list._at() !== undefined) {
        asked.at = platform.now();
        if (!list._isPart()) asked = undefined;
      }
      settle();
      if (isCurrent && !isInit) tries = 0;
    }

    const stopHearing = channel.onMessage((message) => isFrame(message) && hear(message));
    const sub: OpenSubscription = {
      ...noStream,
      stream,
      _isClosed: () => closed,
      _isCurrent: () => isCurrent,
      // It asks its own questions; the channel has none to add.
      _mayAsk() {
        ask();
        return false;
      },
      _askedAt: () => asked && asked.at + asked.patienceMs,
      _isDue: () => platform.now() >= checkAt,
      // An error of the whole connection, that passes.
      _receive: () => again(1),
      _disconnect: forget,
      close() {
        if (closed) return;
        if (watchId) send("CLOSE_WATCH", null);
        closed = true;
        stopHearing();
        forget();
      },
    };
    return sub;
  };

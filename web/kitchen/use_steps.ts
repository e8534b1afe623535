/** Steps of this screen: waiting for an undo, being sent, or refused. */
import { useEffect, useRef, useState } from "preact/hooks";
import { pageNow } from "../../clients/browser.ts";
import type { StepBody } from "../../clients/client.ts";
import type { Action, OrderView } from "../../clients/types.ts";
import { toast } from "../shared/toast.tsx";
import { isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { why, words } from "./dictionary.ts";
import { hasMade } from "./stations.ts";
import { canBeTakenBack, inQueue, waitsForUndo } from "./steps.ts";
import { isOffline } from "./use_connection.ts";
import { type Troubles, useTroubles } from "./use_troubles.ts";

export const undoMs = 3_000;
/** Longer for a step that was sent at once: the cook has to notice it first. */
const takeBackMs = 6_000;
/** Tries of a step: other stations and struck lines make new versions meanwhile, but hardly more than these in a row. */
const maxTries = 4;

export interface Work {
  action: Action;
  /** The station whose part is done; undefined for the whole order. */
  station: string | null | undefined;
  sending: boolean;
  /** The end of the time for an undo, before it is sent. */
  until: number;
}

interface Waiting {
  timer: ReturnType<typeof setTimeout>;
  order: OrderView;
  action: Action;
  body: StepBody;
}

export interface Steps extends Troubles {
  work: ReadonlyMap<string, Work>;
  /** Steps just taken that can be undone, by order. */
  taken: ReadonlyMap<string, Action>;
  takeStep(order: OrderView, action: Action, body?: StepBody): void;
  strike(order: OrderView, line: number, struck: boolean): Promise<void>;
  /** Undoes the step of this order; without an order, the last step. */
  undo(order?: string): void;
}

/** @param connected whether steps can be sent */
export function useSteps(
  orders: readonly OrderView[] | undefined,
  put: (order: OrderView) => void,
  connected: boolean,
): Steps {
  const { troubles, report, dismiss } = useTroubles(orders, connected);
  const [work, setWork] = useState<ReadonlyMap<string, Work>>(new Map());
  const [taken, setTaken] = useState<ReadonlyMap<string, Action>>(new Map());
  const timers = useRef(new Map<string, Waiting>());
  const latest = useRef(orders);
  latest.current = orders;

  /** Orders with a step under way. Not state of the component: a second tap can come before the next rendering. */
  const busy = useRef(new Set<string>());

  const set = (id: string, mine: Work | undefined) => {
    if (mine === undefined) busy.current.delete(id);
    else busy.current.add(id);
    setWork((now) => {
      const next = new Map(now);
      if (mine === undefined) next.delete(id);
      else next.set(id, mine);
      return next;
    });
  };
  const refuse = (order: OrderView, error: unknown) => {
    if (!isApiError(error)) throw error;
    const about = latestOf(order);
    if (error.code === "NO_ANSWER") report(words.notSent(order.number), { order: about, network: true });
    else report(words.failed(order.number, why(error)), { order: about });
  };

  const forgetTaken = (id: string, action?: Action) =>
    setTaken((now) => {
      if (!now.has(id) || (action !== undefined && now.get(id) !== action)) return now;
      const next = new Map(now);
      next.delete(id);
      return next;
    });

  async function send(order: OrderView, action: Action, body: StepBody): Promise<void> {
    set(order.id, { action, station: body.station, sending: true, until: 0 });
    forgetTaken(order.id);
    try {
      put(await sendStep(latestOf(order), action, body));
      if (canBeTakenBack(action)) {
        setTaken((now) => new Map(now).set(order.id, action));
        setTimeout(() => forgetTaken(order.id, action), takeBackMs);
      }
      if (action === "recall") toast(words.recalled(order.number));
    } catch (error) {
      // Another screen was faster. Its step arrives by the stream, so this is not an error.
      if (isApiError(error) && error.status === 409) {
        const now = await client.order(order.id).catch(() => undefined);
        if (now !== undefined) put(now);
        if (now !== undefined && now.status !== order.status) toast(words.othersFaster(order.number));
        else refuse(order, error);
      } else refuse(order, error);
    } finally {
      set(order.id, undefined);
    }
  }

  const latestOf = (order: OrderView) => {
    const now = latest.current?.find(({ id }) => id === order.id);
    return now !== undefined && now.version > order.version ? now : order;
  };

  function takeStep(order: OrderView, action: Action, body: StepBody = {}): void {
    if (busy.current.has(order.id)) return;
    if (isOffline()) {
      report(words.offlineRefused, { network: true });
      return;
    }
    if (!waitsForUndo(action)) {
      void send(order, action, body);
      return;
    }
    const { station } = body;
    set(order.id, { action, station, sending: false, until: pageNow() + undoMs });
    forgetTaken(order.id);
    const timer = setTimeout(() => {
      timers.current.delete(order.id);
      // Another screen may have taken the step meanwhile.
      const now = latestOf(order);
      const done = station === undefined ? now.status !== order.status : !inQueue(now) || hasMade(now, station ?? "");
      if (done) return set(order.id, undefined);
      if (isOffline()) {
        set(order.id, undefined);
        return report(words.notSent(order.number), { order: now, network: true });
      }
      void send(order, action, body);
    }, undoMs);
    timers.current.set(order.id, { timer, order, action, body });
  }

  function undo(id = [...timers.current.keys()].pop() ?? [...taken.keys()].pop()): void {
    const waiting = id === undefined ? undefined : timers.current.get(id);
    if (waiting === undefined) {
      const order = latest.current?.find((one) => one.id === id);
      if (order !== undefined && taken.has(order.id)) takeStep(order, "recall");
      return;
    }
    clearTimeout(waiting.timer);
    timers.current.delete(waiting.order.id);
    set(waiting.order.id, undefined);
    toast(words.undone(waiting.order.number));
  }

  async function strike(order: OrderView, line: number, struck: boolean): Promise<void> {
    if (isOffline()) return report(words.offlineRefused, { network: true });
    try {
      const path = `/orders/${order.id}/lines/${line}`;
      put((await client.ask<{ order: OrderView }>({ method: "PUT", path, body: { struck } })).order);
    } catch (error) {
      refuse(order, error);
    }
  }

  // The page has shown "done", so on closing it sends the waiting steps, by keepalive requests, which outlive the page.
  useEffect(() => {
    const flush = () => {
      for (const { timer, order, action, body } of timers.current.values()) {
        clearTimeout(timer);
        void fetch(`/orders/${order.id}/${action}`, {
          method: "POST",
          keepalive: true,
          headers: { "content-type": "application/json", authorization: `Bearer ${client.session()?.token}` },
          body: JSON.stringify({ version: latestOf(order).version, ...body }),
        }).catch(() => {});
      }
      timers.current.clear();
      busy.current.clear();
      setWork(new Map());
    };
    addEventListener("pagehide", flush);
    return () => removeEventListener("pagehide", flush);
  }, []);

  return { work, taken, troubles, takeStep, strike, undo, dismiss, report };
}

/** Takes the step; tries again when the order has a new version only because of a struck line or another station's part. */
async function sendStep(order: OrderView, action: Action, body: StepBody, tries = 1): Promise<OrderView> {
  try {
    return await client.step(order, action, body);
  } catch (error) {
    if (!isApiError(error) || error.code !== "ORDER_CHANGED" || tries === maxTries) throw error;
    const now = await client.order(order.id);
    const still = now.status === order.status || (body.station !== undefined && inQueue(now) && inQueue(order));
    if (!still) throw error;
    return sendStep(now, action, body, tries + 1);
  }
}

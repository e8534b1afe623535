/** Steps on their way: those that wait for an undo, those that are being sent, and what was refused. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Action, OrderView } from "../../clients/types.ts";
import { toast } from "../shared/toast.tsx";
import { isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { why, words } from "./speak.ts";
import { waitsForUndo } from "./steps.ts";
import { isCutOff } from "./use_line.ts";

export const undoMs = 3_000;

export interface Work {
  action: Action | "strike";
  /** Being sent, or until when it can be undone. */
  sending: boolean;
  until: number;
}

export interface Trouble {
  id: number;
  text: string;
}

export interface Steps {
  work: ReadonlyMap<string, Work>;
  troubles: readonly Trouble[];
  take(order: OrderView, action: Action, reason?: string): void;
  strike(order: OrderView, line: number, struck: boolean): Promise<void>;
  /** Without an order: the last one. */
  undo(order?: string): void;
  dismiss(trouble: number): void;
  say(text: string): void;
}

export function useSteps(orders: readonly OrderView[] | undefined, put: (order: OrderView) => void): Steps {
  const [work, setWork] = useState<ReadonlyMap<string, Work>>(new Map());
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const timers = useRef(new Map<string, { timer: ReturnType<typeof setTimeout>; order: OrderView; action: Action }>());
  const latest = useRef(orders);
  latest.current = orders;
  const nth = useRef(0);

  /** What is under way at this very moment: two taps can come before the page is drawn anew. */
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
  const say = useCallback((text: string) => {
    nth.current += 1;
    const id = nth.current;
    setTroubles((now) => [...now.filter((other) => other.text !== text), { id, text }].slice(-3));
  }, []);
  const refuse = ({ number }: OrderView, error: unknown) => {
    if (!isApiError(error)) throw error;
    if (error.code === "NO_ANSWER") say(words.notSent(number));
    else say(words.failed(number, why(error)));
  };

  async function send(order: OrderView, action: Action, reason?: string): Promise<void> {
    set(order.id, { action, sending: true, until: 0 });
    try {
      put(await stepOnce(latestOf(order), action, reason));
      if (action === "recall") toast(words.recalled(order.number));
    } catch (error) {
      // Somebody was faster: what they did comes by itself, and is no mistake of anybody here.
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

  /** A line struck on another screen is a new version too, and no reason to refuse a step that still makes sense. */
  async function stepOnce(order: OrderView, action: Action, reason?: string): Promise<OrderView> {
    const body = reason === undefined ? {} : { reason };
    try {
      return await client.step(order, action, body);
    } catch (error) {
      if (!isApiError(error) || error.code !== "ORDER_CHANGED") throw error;
      const now = await client.order(order.id);
      if (now.status !== order.status) throw error;
      return client.step(now, action, body);
    }
  }

  const latestOf = (order: OrderView) => {
    const now = latest.current?.find(({ id }) => id === order.id);
    return now !== undefined && now.version > order.version ? now : order;
  };

  function take(order: OrderView, action: Action, reason?: string): void {
    if (busy.current.has(order.id)) return;
    if (isCutOff()) {
      say(words.offlineRefused);
      return;
    }
    if (!waitsForUndo(action)) {
      void send(order, action, reason);
      return;
    }
    set(order.id, { action, sending: false, until: Date.now() + undoMs });
    const timer = setTimeout(() => {
      timers.current.delete(order.id);
      // Meanwhile another screen may have done it.
      const now = latestOf(order);
      if (now.status !== order.status) return set(order.id, undefined);
      if (isCutOff()) {
        set(order.id, undefined);
        return say(words.notSent(order.number));
      }
      void send(order, action);
    }, undoMs);
    timers.current.set(order.id, { timer, order, action });
  }

  function undo(id = [...timers.current.keys()].at(-1)): void {
    const waiting = id === undefined ? undefined : timers.current.get(id);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    timers.current.delete(waiting.order.id);
    set(waiting.order.id, undefined);
    toast(words.undone(waiting.order.number));
  }

  async function strike(order: OrderView, line: number, struck: boolean): Promise<void> {
    if (isCutOff()) return say(words.offlineRefused);
    try {
      const path = `/orders/${order.id}/lines/${line}`;
      put((await client.ask<{ order: OrderView }>({ method: "PUT", path, body: { struck } })).order);
    } catch (error) {
      refuse(order, error);
    }
  }

  // A page that goes away has said "done" to the cook, so it does it: such a request outlives its page.
  useEffect(() => {
    const flush = () => {
      for (const { timer, order, action } of timers.current.values()) {
        clearTimeout(timer);
        void fetch(`/orders/${order.id}/${action}`, {
          method: "POST",
          keepalive: true,
          headers: { "content-type": "application/json", authorization: `Bearer ${client.session()?.token}` },
          body: JSON.stringify({ version: latestOf(order).version }),
        }).catch(() => {});
      }
      timers.current.clear();
      busy.current.clear();
      setWork(new Map());
    };
    addEventListener("pagehide", flush);
    return () => removeEventListener("pagehide", flush);
  }, []);

  const dismiss = (trouble: number) => setTroubles((now) => now.filter(({ id }) => id !== trouble));
  return { work, troubles, take, strike, undo, dismiss, say };
}

/** The bell: rings while orders wait, and tells the page whether it does. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { pageNow } from "../../clients/browser.ts";
import type { OrderView } from "../../clients/types.ts";
import { type Bell, bellOf, isEscalated, silentMs, type Touched } from "./bell.ts";
import { ring, ringLouder } from "./sound.ts";

const everyMs = { ringing: 2_600, louder: 1_500 };

export interface UseBell {
  bell: Bell;
  /** The number of times it has rung. */
  rung: number;
  /** Marks these orders as seen. */
  touch(...orders: OrderView[]): void;
}

export function useBell(orders: readonly OrderView[] | undefined, soundOn: boolean): UseBell {
  const [touched, setTouched] = useState<Touched>(new Map());
  const [rung, setRung] = useState(0);
  const [now, setNow] = useState(pageNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(pageNow()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const bell = useMemo(() => bellOf(orders ?? [], touched, now), [orders, touched, now]);

  // A new order rings at once, also while the bell rings already or is silent for another order.
  const waiting = (orders ?? []).filter(({ status }) => status === "placed").length;
  const before = useRef(0);
  useEffect(() => {
    const more = waiting > before.current;
    before.current = waiting;
    if (bell !== "ringing" && bell !== "louder") return;
    const sound = () => {
      if ((bell === "louder" ? ringLouder : ring)()) setRung((times) => times + 1);
    };
    const timer = setInterval(sound, everyMs[bell]);
    if (more || waiting > 0) sound();
    return () => clearInterval(timer);
  }, [bell, soundOn, waiting]);

  const touch = useCallback((...seen: OrderView[]) => {
    const until = pageNow() + silentMs;
    setTouched((marks) => {
      const fresh = seen.filter(({ status }) => status === "placed");
      if (fresh.length === 0) return marks;
      const kept = [...marks].filter(([, mark]) => mark.until > pageNow());
      return new Map([...kept, ...fresh.map((order) => [order.id, { until, escalated: isEscalated(order) }] as const)]);
    });
    setNow(pageNow());
  }, []);
  return { bell, rung, touch };
}

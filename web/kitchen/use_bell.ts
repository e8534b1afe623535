/** The bell: rings while it should, and says so to the page. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { type Bell, bellOf, isEscalated, silentMs, type Touched } from "./bell.ts";
import { ring, ringLouder } from "./sound.ts";

const everyMs = { ringing: 2_600, louder: 1_500 };

export interface UseBell {
  bell: Bell;
  /** How often it was heard. */
  rung: number;
  /** Somebody has seen these orders. */
  touch(...orders: OrderView[]): void;
}

export function useBell(orders: readonly OrderView[] | undefined, soundOn: boolean): UseBell {
  const [touched, setTouched] = useState<Touched>(new Map());
  const [rung, setRung] = useState(0);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const bell = useMemo(() => bellOf(orders ?? [], touched, now), [orders, touched, now]);

  // A new order rings at once, also where the bell rings already or is silenced for another.
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
    const until = Date.now() + silentMs;
    setTouched((marks) => {
      const fresh = seen.filter(({ status }) => status === "placed");
      if (fresh.length === 0) return marks;
      const kept = [...marks].filter(([, mark]) => mark.until > Date.now());
      return new Map([...kept, ...fresh.map((order) => [order.id, { until, escalated: isEscalated(order) }] as const)]);
    });
    setNow(Date.now());
  }, []);
  return { bell, rung, touch };
}

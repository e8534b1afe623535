/** What one route answers, asked when the page needs it and again when told to. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Asked<T> {
  value: T | undefined;
  failed: unknown;
  reload(): Promise<void>;
}

/** @param key another key is another question */
export function useAsked<T>(key: string, ask: () => Promise<T>): Asked<T> {
  const [answer, setAnswer] = useState<{ key: string; value?: T; failed?: unknown }>({ key });
  const latest = useRef(ask);
  latest.current = ask;
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const value = await latest.current();
      if (mine === turn.current) setAnswer({ key, value });
    } catch (failed) {
      // What was read before is better than nothing.
      if (mine === turn.current) setAnswer((now) => ({ ...now, key, failed }));
    }
  }, [key]);
  useEffect(() => void reload(), [reload]);
  const current = answer.key === key ? answer : { key };
  return { value: current.value, failed: current.failed, reload };
}

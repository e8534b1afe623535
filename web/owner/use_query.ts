/** Query of one route: fetched when the page needs it, and again on reload. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Query<T> {
  value: T | undefined;
  failed: unknown;
  reload(): Promise<void>;
}

/** @param key identifies the query: another key is another query */
export function useQuery<T>(key: string, ask: () => Promise<T>): Query<T> {
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
      // The earlier answer stays: it is better than none.
      if (mine === turn.current) setAnswer((now) => ({ ...now, key, failed }));
    }
  }, [key]);
  useEffect(() => void reload(), [reload]);
  const current = answer.key === key ? answer : { key };
  return { value: current.value, failed: current.failed, reload };
}

/** Errors shown to the kitchen until somebody closes them: the last three. */
import { useCallback, useRef, useState } from "preact/hooks";

export interface Trouble {
  id: number;
  text: string;
}

export interface Troubles {
  troubles: readonly Trouble[];
  report(text: string): void;
  dismiss(trouble: number): void;
}

export function useTroubles(): Troubles {
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const lastId = useRef(0);
  const report = useCallback((text: string) => {
    lastId.current += 1;
    const id = lastId.current;
    setTroubles((now) => [...now.filter((other) => other.text !== text), { id, text }].slice(-3));
  }, []);
  const dismiss = (trouble: number) => setTroubles((now) => now.filter(({ id }) => id !== trouble));
  return { troubles, report, dismiss };
}

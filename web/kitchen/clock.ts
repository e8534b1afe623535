/** The server's time: a kitchen's tablet is often minutes off, and ages and expiries would be wrong with it. */
import { useEffect, useState } from "preact/hooks";

let aheadMs = 0;

export const serverNow = (): number => Date.now() + aheadMs;

/** Takes the time from the page's own server. The header counts whole seconds, so small differences are none. */
export async function setClock(): Promise<void> {
  const asked = Date.now();
  const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  const date = Date.parse(answer?.headers.get("date") ?? "");
  const off = date + 500 - (asked + Date.now()) / 2;
  if (!Number.isNaN(off)) aheadMs = Math.abs(off) > 5_000 ? off : 0;
}

/** The server's time, anew every so often. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

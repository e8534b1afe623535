/**
 * The server's time. A device's clock is often wrong, and may be corrected while the page is open; so between two answers of the
 * server only the page's monotonic counter is used, which cannot be set.
 */
import { useEffect, useState } from "preact/hooks";
import { pageNow } from "../../clients/browser.ts";

/** The server's clock minus the page's counter, ms. Until the server has answered, the device's clock is used. */
let aheadMs = 0;
/** The device's clock minus the counter: it jumps when the clock is set, and when the device has slept. */
let deviceMs = 0;
let started = false;

const renewMs = 10 * 60_000;
const againMs = 30_000;
const checkMs = 2_000;
/** A tolerance: the header has whole seconds, and an answer takes time. */
const tolerance = 2_000;

export const serverNow = (): number => pageNow() + aheadMs;

/** @param at a moment by the page's counter, such as `client.heardAt()` */
export const serverTimeOf = (at: number): number => at + aheadMs;

/** Asks the page's own server. @returns whether it answered */
async function ask(): Promise<boolean> {
  const asked = pageNow();
  const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  const date = Date.parse(answer?.headers.get("date") ?? "");
  const off = date + 500 - (asked + pageNow()) / 2;
  if (Number.isNaN(off)) return false;
  if (Math.abs(off - aheadMs) > tolerance) aheadMs = off;
  return true;
}

/** Sets the clock and keeps it right: now and then, and at once when the device's clock jumps or the device wakes. */
export function syncClock(): void {
  if (started) return;
  started = true;
  let dueAt = 0;
  const renew = async () => {
    dueAt = pageNow() + againMs;
    if (await ask()) dueAt = pageNow() + renewMs;
  };
  const check = () => {
    const device = Date.now() - pageNow();
    const jumped = Math.abs(device - deviceMs) > tolerance;
    deviceMs = device;
    if (jumped || pageNow() >= dueAt) void renew();
  };
  check();
  setInterval(check, checkMs);
  addEventListener("online", () => void renew());
}

/** The server's time, updated at an interval. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

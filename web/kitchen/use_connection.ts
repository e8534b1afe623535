/** The connection's state for a kitchen: orders come, come late, or do not come. */
import { useEffect, useRef, useState } from "preact/hooks";
import { pageNow } from "../../clients/browser.ts";
import { useChannelState } from "../shared/state_banner.tsx";
import { client } from "./client.ts";
import { soundLost } from "./sound.ts";

export type Connection = "starting" | "live" | "polling" | "lost";

/** A gateway that restarts is back within about two seconds, which needs no alarm. */
const graceMs = 3_000;
/** A longer time for the start and for fetching missed events. */
const catchUpMs = 8_000;
/** The shop's stream is checked every 10 s: after more than two missed checks it counts as silent, whatever the client's state. */
const silenceMs = 30_000;
const againMs = 12_000;

export function useConnection(): { connection: Connection; heardAt: number } {
  const state = useChannelState(client);
  const [now, setNow] = useState(pageNow());
  const [began] = useState(pageNow());
  const isWell = state === "live" || state === "polling";
  const since = useRef<number>(undefined);
  const wasWell = useRef(false);
  if (isWell) since.current = undefined;
  else since.current ??= pageNow();
  wasWell.current ||= isWell;
  useEffect(() => {
    const update = () => setNow(pageNow());
    const timer = setInterval(update, 1_000);
    addEventListener("offline", update);
    return () => {
      clearInterval(timer);
      removeEventListener("offline", update);
    };
  }, []);

  const heardAt = client.heardAt();
  const grace = wasWell.current && state !== "catching up" ? graceMs : catchUpMs;
  const isBroken = since.current !== undefined && (isGone() || now - since.current > grace);
  // Once shown it stays until the connection is good: a new try is no connection yet.
  const broken = useRef(false);
  broken.current = isBroken || (broken.current && !isWell);
  const connection: Connection =
    broken.current || now - (heardAt || began) > silenceMs
      ? "lost"
      : !wasWell.current && now - began <= catchUpMs
        ? "starting"
        : state === "polling"
          ? "polling"
          : "live";

  const lost = connection === "lost";
  useEffect(() => {
    if (!lost) return;
    soundLost();
    const timer = setInterval(soundLost, againMs);
    return () => clearInterval(timer);
  }, [lost]);
  return { connection, heardAt };
}

/** The browser reports that there is no network. Ignored while the connection works. */
const isGone = (): boolean => navigator.onLine === false && client.state() !== "live" && client.state() !== "polling";

let offlineSince: number | undefined;
client.onState((state) => {
  offlineSince = state === "offline" ? (offlineSince ?? pageNow()) : undefined;
});

/**
 * @returns whether a step would fail now, read at the moment of the tap. A socket that is being replaced does not matter: a
 * step is a separate request, whose failure is shown.
 */
export const isOffline = (): boolean =>
  client.state() === "signed out" || isGone() || (offlineSince !== undefined && pageNow() - offlineSince > graceMs);

/** The connection, as a kitchen needs to know it: orders come, come late, or do not come. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useChannelState } from "../shared/state_banner.tsx";
import { client } from "./client.ts";
import { soundLost } from "./sound.ts";

export type Line = "starting" | "live" | "polling" | "lost";

/** A gateway that restarts is back within two seconds or so; that is no alarm. */
const graceMs = 3_000;
/** Fetching what was missed takes its time, and at the start nothing was true yet. */
const catchUpMs = 8_000;
/** The shop's stream is checked every 10 s: more than two missed checks are silence, whatever the state says. */
const silenceMs = 30_000;
const againMs = 12_000;

export function useLine(): { line: Line; heardAt: number } {
  const state = useChannelState(client);
  const [now, setNow] = useState(Date.now());
  const [began] = useState(Date.now());
  const well = state === "live" || state === "polling";
  const since = useRef<number>(undefined);
  const wasWell = useRef(false);
  if (well) since.current = undefined;
  else since.current ??= Date.now();
  wasWell.current ||= well;
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);

  const heardAt = client.heardAt();
  const patience = wasWell.current && state !== "catching up" ? graceMs : catchUpMs;
  const broken = since.current !== undefined && now - since.current > patience;
  const line: Line =
    broken || now - heardAt > silenceMs
      ? "lost"
      : !wasWell.current && now - began <= catchUpMs
        ? "starting"
        : state === "polling"
          ? "polling"
          : "live";

  const lost = line === "lost";
  useEffect(() => {
    if (!lost) return;
    soundLost();
    const timer = setInterval(soundLost, againMs);
    return () => clearInterval(timer);
  }, [lost]);
  return { line, heardAt };
}

let offlineSince: number | undefined;
client.onState((state) => {
  offlineSince = state === "offline" ? (offlineSince ?? Date.now()) : undefined;
});

/**
 * A step would go nowhere now, asked at the moment of the tap. A socket that is just being replaced says nothing of that: a
 * step goes by a request of its own, and tells when it has failed.
 */
export const isCutOff = (): boolean =>
  client.state() === "signed out" || (offlineSince !== undefined && Date.now() - offlineSince > graceMs);

/** Banner with the page's connection state. It is hidden while live, during a short gap, and on a page that watches nothing. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { State } from "../../clients/channel.ts";

export interface StateWords {
  "catching up": string;
  polling: string;
  offline: string;
  "signed out": string;
}

interface Stateful {
  state(): State;
  onState(listener: (state: State) => void): () => void;
}

const disbeliefMs = 5_000;
// "offline" does not concern a server on the same machine, so the network is tried all the same.
addEventListener("offline", () => setTimeout(() => dispatchEvent(new Event("online")), disbeliefMs));

/** The client's state, kept up to date. */
export function useChannelState(client: Stateful): State {
  const [state, setState] = useState(client.state());
  useEffect(() => {
    setState(client.state());
    return client.onState(setState);
  }, [client]);
  return state;
}

export interface StateBannerProps {
  state: State;
  words: StateWords;
  /** States shorter than this are not shown. 0 for a page that must show every one. */
  graceMs?: number;
  /** States that this page does not show. */
  silent?: readonly State[];
  /** A button, or the time of the last message. */
  children?: ComponentChildren;
}

const tones = { "catching up": "", polling: "", offline: "warn", "signed out": "bad" } as const;

export function StateBanner({ state, words, graceMs = 2_500, silent = [], children }: StateBannerProps) {
  const [lasting, setLasting] = useState<State>();
  useEffect(() => {
    const timer = setTimeout(() => setLasting(state), state === "live" ? 0 : graceMs);
    return () => clearTimeout(timer);
  }, [state, graceMs]);
  // If the browser reports that there is no network, the banner is shown at once.
  const certain = state === "offline" && navigator.onLine === false;
  const shown =
    graceMs === 0 || certain || state === lasting || (lasting !== undefined && lasting !== "live" && state !== "live");
  // The live region stays in the page, so that a screen reader announces new text in it.
  return (
    <div role="status">
      {shown && state !== "live" && state !== "idle" && state !== "closed" && !silent.includes(state) && (
        <div class={`banner ${tones[state]}`}>
          <span>{words[state]}</span>
          {children}
        </div>
      )}
    </div>
  );
}

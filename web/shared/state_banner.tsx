/** How true the page is, said in a line. Live is silent, and so is a moment without it. */
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
  onState(hear: (state: State) => void): () => void;
}

/** The client's state, kept true. */
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
  /** A state that lasts shorter is not worth a word. 0 for a page that must be loud. */
  graceMs?: number;
  /** States of which this page says nothing. */
  silent?: readonly State[];
  /** A button, or when anything was last heard. */
  children?: ComponentChildren;
}

const tones = { "catching up": "", polling: "", offline: "warn", "signed out": "bad" } as const;

export function StateBanner({ state, words, graceMs = 2_500, silent = [], children }: StateBannerProps) {
  const [lasting, setLasting] = useState<State>();
  useEffect(() => {
    const timer = setTimeout(() => setLasting(state), state === "live" ? 0 : graceMs);
    return () => clearTimeout(timer);
  }, [state, graceMs]);
  const shown = graceMs === 0 || state === lasting || (lasting !== undefined && lasting !== "live" && state !== "live");
  // The region stays in the page, so that a reader hears what comes into it.
  return (
    <div role="status">
      {shown && state !== "live" && !silent.includes(state) && (
        <div class={`banner ${tones[state]}`}>
          <span>{words[state]}</span>
          {children}
        </div>
      )}
    </div>
  );
}

/** Banner for a connection too bad to keep the page up to date. */
import { StateBanner, useChannelState } from "../shared/state_banner.tsx";
import { client } from "./client.ts";
import { words } from "./dictionary.ts";

export function Connection() {
  const state = useChannelState(client);
  return <StateBanner state={state} words={words.state} silent={["catching up", "signed out"]} />;
}

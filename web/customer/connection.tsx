/** Says it when the page cannot be kept true. */
import { StateBanner, useChannelState } from "../shared/state_banner.tsx";
import { client } from "./client.ts";
import { words } from "./speak.ts";

export function Connection() {
  const state = useChannelState(client);
  return <StateBanner state={state} words={words.state} silent={["catching up", "signed out"]} />;
}

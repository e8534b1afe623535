/** The client of this page, for staff: its session is apart from a customer's in the same browser. */
import { browserPlatform } from "../../clients/browser.ts";
import { makeClient } from "../../clients/client.ts";
import { makeBackgroundTimer } from "../shared/background_timers.ts";

/** A hidden kitchen tab must stay live, so its heartbeat does not depend on the page's timers. */
export const client = makeClient(
  { ...browserPlatform(), later: makeBackgroundTimer() },
  { url: location.origin, name: "orderbell:kitchen" },
);

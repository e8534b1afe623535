/** Addresses at which files are fetched: of ours, which lead to the storage's. They name the path, so they show what is there now. */
import type { App } from "../app.ts";
import { shownName } from "./cloud_path.ts";
import { getTicket } from "./object_ticket.ts";

/** Bounds of what a client may ask for, in seconds. */
export const ages = { least: 60, most: 86_400, unless: 7_200 };

export const boundedAge = (sec: number | undefined): number =>
  Math.min(ages.most, Math.max(ages.least, sec ?? ages.unless));

/** @param ageSec how long it leads to a private file; without it, it leads to what everybody may see, for ever */
export function objectAddress(
  app: Pick<App, "secrets" | "clock">,
  origin: string,
  path: string,
  ageSec: number | undefined,
): { url: string } {
  const hash = app.secrets.hash(path);
  const until = ageSec === undefined ? {} : { until: app.clock.now() + ageSec * 1_000 };
  return { url: `${origin}/v1/storages/objects/${getTicket(app, { hash, ...until })}/${shownName(path)}` };
}

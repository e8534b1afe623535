/** Where drafts become orders: in batches, by the shortest road that the engine and the case allow. */
import { ConnectionLost, FlightLost } from "../db/database.ts";
import type { App } from "./app.ts";
import { inBatches } from "./batch.ts";
import type { Draft, Outcome, Written } from "./draft.ts";
import { KeyReused } from "./errors.ts";
import { storeCarefully } from "./store_carefully.ts";
import { storeInOneTrip } from "./store_in_one_trip.ts";

/** Where orders wait for the next flight. */
export interface Orders {
  write(draft: Draft): Promise<Written>;
}

export function makeOrders(app: () => App, max: number): Orders {
  return { write: inBatches((drafts) => writeBatch(app(), drafts), max) };
}

/** Stores a batch. Of several with one key only the first is tried; the others share its fate. */
async function writeBatch(app: App, drafts: readonly Draft[]): Promise<Outcome[]> {
  // With the token's hash: what a forged token claims must not share the fate of the true one.
  const nameOf = ({ key, claim }: Draft) => `${key.owner_id}\n${key.idem_key}\n${claim.hash}`;
  const first = new Map<string, Draft>();
  for (const draft of drafts) if (!first.has(nameOf(draft))) first.set(nameOf(draft), draft);
  const leaders = [...first.values()];
  const stored = await store(app, leaders);
  const outcomes = new Map(leaders.map((leader, at) => [leader, stored[at] as Outcome]));
  return drafts.map((draft) => {
    const leader = first.get(nameOf(draft)) as Draft;
    const outcome = outcomes.get(leader) as Outcome;
    if (draft === leader || outcome.status === "rejected" || outcome.value.kind !== "placed") return outcome;
    if (draft.key.body_hash !== leader.key.body_hash) return { status: "rejected", reason: new KeyReused() };
    return { status: "fulfilled", value: { kind: "stored", id: outcome.value.order.id } };
  });
}

/** One trip if the engine can and nothing is unusual; else carefully; and if that fails for an unforeseen reason, by halves. */
async function store(app: App, drafts: readonly Draft[]): Promise<Outcome[]> {
  try {
    return (await storeInOneTrip(app, drafts)) ?? (await storeCarefully(app, drafts));
  } catch (reason) {
    const everybodys = reason instanceof ConnectionLost || reason instanceof FlightLost;
    if (drafts.length === 1 || everybodys) return drafts.map(() => ({ status: "rejected", reason }));
    const half = Math.ceil(drafts.length / 2);
    return [...(await store(app, drafts.slice(0, half))), ...(await store(app, drafts.slice(half)))];
  }
}

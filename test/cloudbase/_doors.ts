/** A house with collections, for CloudBase's own client. */
import { parseCollections } from "../../shared/live/collections.ts";
import type { Engine } from "../_engines.ts";
import { type House, type HouseOptions, openHouse } from "../_house.ts";
import type { CloudbaseDatabase } from "./_client.ts";

export const declared = `
notes: { permission: PRIVATE, indexes: [n] }
comments: { permission: READONLY, indexes: [film] }
news: { permission: ADMINWRITE }
keys: { permission: ADMINONLY }
shared:
  rules: { read: true, write: "auth != null" }
`;

/** Guests as many as a test makes. */
export function openDoors(engine: Engine, more: HouseOptions = {}): Promise<House> {
  const { collections, errors } = parseCollections(declared);
  if (errors.length > 0) throw new Error(errors.join());
  return openHouse(engine, {
    ...more,
    config: { collections, ...more.config },
    environment: { GUEST_SESSIONS_PER_HOUR: "100000", ...more.environment },
  });
}

/** What tests read of an answer, which is either's. */
export interface Told {
  readonly requestId?: string;
  readonly code?: string;
  readonly message?: string;
  readonly id?: string;
  readonly ids?: readonly string[];
  // Tests read any member.
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly data?: any;
  readonly total?: number;
  readonly updated?: number;
  readonly deleted?: number;
  readonly upsertedId?: string;
}

/** The builder of the client without its types, which know no list of documents and no error that is returned. */
// biome-ignore lint/suspicious/noExplicitAny: the vendor's types are narrower than its client
export type Untyped = any;

export const untyped = (db: CloudbaseDatabase): Untyped => db;

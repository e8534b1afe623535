/** What a built-in collection is: orderbell's own data as documents that are read and watched, never written. */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { Caller } from "./caller.ts";
import { maxSteadySteps } from "./limits.ts";
import { compileMatch } from "./match.ts";
import type { Condition } from "./query.ts";
import { Steps } from "./steps.ts";
import type { Document } from "./value.ts";
import { decodeStored } from "./wire_value.ts";

/** A collection that is made of other tables. Each caller finds only what the caller may see, whatever the query says. */
export interface BuiltIn {
  readonly name: string;
  /** Callers with the same text find the same: a watch's list is read once for all of them. @throws Forbidden */
  readerOf(caller: Caller): string;
  /** Streams whose events may change what the caller finds. @throws Forbidden */
  streams(app: App, caller: Caller, condition: Condition): Promise<readonly string[]>;
  /** The documents that match, in any order, and the heads of those streams at the same moment. @throws Forbidden */
  read(app: App, caller: Caller, condition: Condition): Promise<BuiltInFound>;
}

export interface BuiltInFound {
  readonly documents: Document[];
  /** Stream → head. */
  readonly heads: ReadonlyMap<string, Head>;
}

/** A view as a document: plain JSON. Fields that are undefined are left out. */
export const documentOf = (id: string, view: object): Document =>
  decodeStored({ _id: id, ...JSON.parse(JSON.stringify(view)) });

/** Those that match. */
export function matching(documents: readonly Document[], condition: Condition): Document[] {
  const match = compileMatch(condition, new Steps(maxSteadySteps));
  return documents.filter((document) => match(document));
}

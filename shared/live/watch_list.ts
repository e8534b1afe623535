/** Reads a watch's list from the database, as of heads that the stream's further events continue. */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import { TooManyDocuments } from "../errors.ts";
import { headsOf } from "../streams/backlog.ts";
import { builtIns } from "./built_in.ts";
import type { Caller } from "./caller.ts";
import { maxWatched } from "./limits.ts";
import { authorizeRead, readMatching } from "./read_matching.ts";
import type { Document } from "./value.ts";
import { lengthOf } from "./watch_frames.ts";
import { type Group, orderOf } from "./watch_group.ts";

/** A list in its order, with the heads of all streams that it follows from. */
export interface Listing {
  readonly documents: readonly Document[];
  readonly heads: ReadonlyMap<string, Head>;
}

/** Characters of all documents of one list. */
const maxListCharacters = 16 * 1024 * 1024;

/** @throws TooManyDocuments, Forbidden, and what a query throws */
export async function readList(app: App, caller: Caller, group: Group): Promise<Listing> {
  const { documents, heads } =
    group.collection === undefined ? await readBuiltIn(app, caller, group) : await readDeclared(app, caller, group);
  const { limit } = group.spec;
  if (documents.length > maxWatched && (limit === undefined || limit > maxWatched)) throw tooMany(group);
  const list = documents.toSorted(group.order).slice(0, limit ?? maxWatched);
  if (list.reduce((sum, one) => sum + lengthOf(one), 0) > maxListCharacters)
    throw new TooManyDocuments(`the documents of this watch of "${group.spec.collection}" are more than 16 MB`);
  return { documents: list, heads };
}

const tooMany = ({ spec }: Group) =>
  new TooManyDocuments(
    `a watch has at most ${maxWatched} documents, and this query of "${spec.collection}" finds more`,
  );

async function readDeclared(app: App, caller: Caller, group: Group): Promise<Listing> {
  const { collection, condition, further } = group;
  if (collection === undefined) throw new TypeError("the collection is not declared");
  // First: what a rule reads of them is at least as new.
  const before = await headsOf(app, further);
  const asked = await authorizeRead(app, caller, collection, condition);
  const { limit, order } = group.spec;
  const options = limit === undefined ? { most: maxWatched } : { limit, order: orderOf(order) };
  const { documents, head } = await readMatching(app, caller, collection, asked, options);
  return { documents, heads: new Map([...before, [collectionStream(collection.name), head]]) };
}

async function readBuiltIn(app: App, caller: Caller, { spec, condition }: Group): Promise<Listing> {
  const found = await builtIns.get(spec.collection)?.read(app, caller, condition);
  return found ?? { documents: [], heads: new Map() };
}

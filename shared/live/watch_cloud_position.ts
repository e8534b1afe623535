/** How far the groups of a stream count, how far the stream is, and what lies between. */
import type { Row } from "../../db/database.ts";
import { type Head, noHead } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { collectionIn, isCollectionStream } from "../collection.ts";
import { type Commit, readCommits } from "./changes.ts";

export interface Position {
  readonly stream: string;
  readonly at: Head;
  readonly head: Head;
  /** `other`: what lies between is not there any more, or the database was restored to another history. */
  readonly state: "current" | "behind" | "other";
}

/** Of the streams that are watched. @param rows of `readPositions` */
export const positionsOf = (rows: readonly Row[]): ReadonlyMap<string, Position> =>
  new Map(rows.map((row) => [String(row.stream), positionOf(row)]));

function positionOf(row: Row): Position {
  const at = { epoch: String(row.epoch), seq: Number(row.seq), tag: String(row.tag) };
  const head =
    row.head_seq === null
      ? noHead
      : { epoch: String(row.head_epoch), seq: Number(row.head_seq), tag: String(row.head_tag) };
  return { stream: String(row.stream), at, head, state: stateOf(at, head, row.next_prev) };
}

function stateOf(at: Head, head: Head, nextPrev: Row[string] | undefined): Position["state"] {
  const isUnwritten = at.epoch === "" && at.seq === 0;
  if (at.epoch !== head.epoch && !isUnwritten) return "other";
  if (at.seq === head.seq) return at.tag === head.tag ? "current" : "other";
  return at.seq < head.seq && nextPrev === at.tag ? "behind" : "other";
}

/** What happened in a stream: its commits, `some` where its events do not say which documents, `unknown` where they are not there. */
export type Happened = readonly Commit[] | "some" | "unknown";

/** The collection whose commits a stream has; undefined for streams of the built-in collections. */
export function collectionOfStream(app: App, stream: string): string | undefined {
  const name = collectionIn(stream);
  return isCollectionStream(stream) && app.config.collections.has(name) ? name : undefined;
}

export async function happenedIn(app: App, { stream, at, head, state }: Position): Promise<Happened> {
  if (state === "current") return [];
  if (state === "other") return "unknown";
  const name = collectionOfStream(app, stream);
  if (name === undefined) return "some";
  return (await readCommits(app, name, at.seq, head.seq)) ?? "unknown";
}

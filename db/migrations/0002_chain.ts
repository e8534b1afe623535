/**
 * The chain of a stream: each event has the tag of the one before it, so that a reader knows from the event alone whether
 * it continues the reader's history. Older events have no `prev`; their readers ask.
 */
import type { Migration } from "../migration.ts";

export const chain: Migration = {
  version: 2,
  name: "chain",
  statements: ({ id }) => [
    `ALTER TABLE events ADD COLUMN prev ${id} NOT NULL DEFAULT ''`,
    // The head's tag before the last transaction that wrote: an upsert has replaced it by the time the events are inserted.
    `ALTER TABLE streams ADD COLUMN prev ${id} NOT NULL DEFAULT ''`,
  ],
};

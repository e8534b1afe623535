/**
 * Webhooks: addresses of business servers, and how far each has read each stream. Events stay where they are: the streams are
 * the outbox.
 *
 * `next_at` says from when on anybody may go on with a stream; empty when there is nothing to do. While somebody does, it lies
 * ahead, and `lease` names who. A dead one has `dead_at` and waits for a replay.
 */
import type { Migration } from "../migration.ts";

export const webhooks: Migration = {
  version: 11,
  name: "webhooks",
  statements: ({ id, text, bigint, integer, table, hotTable }) => [
    `CREATE TABLE webhooks (
      id ${id} NOT NULL PRIMARY KEY,
      url varchar(2048) NOT NULL,
      shop_id ${id},
      types ${text} NOT NULL,
      secret_sealed ${text} NOT NULL,
      created_at ${bigint} NOT NULL,
      looked_at ${bigint} NOT NULL
    ) ${table}`,

    `CREATE TABLE webhook_cursors (
      webhook_id ${id} NOT NULL,
      stream ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      tries ${integer} NOT NULL DEFAULT 0,
      status ${id},
      failed_at ${bigint},
      next_at ${bigint},
      lease ${id},
      dead_at ${bigint},
      moved_at ${bigint} NOT NULL,
      PRIMARY KEY (webhook_id, stream)
    ) ${hotTable}`,
    `CREATE INDEX webhook_cursors_next ON webhook_cursors (next_at)`,
    `CREATE INDEX webhook_cursors_moved ON webhook_cursors (moved_at)`,
  ],
};

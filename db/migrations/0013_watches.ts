/**
 * Watches, where the functions share no memory. Watches with the same query, for callers with the same rights, are one group: its events
 * are made once.
 *
 * - `watch_streams`: up to which event of a stream the groups' counters count. Whoever moves it moves the counters in the same transaction.
 *   While somebody pushes, `lease` names who, and the others leave the stream's next events to it.
 * - `watch_groups`: what is watched, as JSON, and how many events the group had. Where a list is kept in its order,
 *   `digest` is that of the list that all its watches have, and `known` the list itself as JSON; empty when it is long.
 * - `watch_keys`: which groups an event of a stream may concern. With a path: those where the document has this value there.
 * - `watches`: whose. The id of a watch's event is `shift` + the group's counter; none before it was first active. Between a request for the list and its answer the watch
 *   is not active: `opening` names the request.
 */
import type { Migration } from "../migration.ts";

export const watches: Migration = {
  version: 13,
  name: "watches",
  statements: ({ id, key, text, bigint, flag, table, hotTable }) => [
    `CREATE TABLE watch_streams (
      stream ${id} NOT NULL PRIMARY KEY,
      epoch ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      tag ${id} NOT NULL,
      lease ${id} NOT NULL,
      leased_until ${bigint} NOT NULL
    ) ${hotTable}`,

    `CREATE TABLE watch_groups (
      id ${id} NOT NULL PRIMARY KEY,
      collection ${id} NOT NULL,
      spec ${text} NOT NULL,
      counter ${bigint} NOT NULL,
      digest ${id} NOT NULL,
      known ${text} NOT NULL,
      used_at ${bigint} NOT NULL
    ) ${hotTable}`,
    `CREATE INDEX watch_groups_used ON watch_groups (used_at)`,

    `CREATE TABLE watch_keys (
      stream ${id} NOT NULL,
      path ${id} NOT NULL,
      value_key ${key} NOT NULL,
      group_id ${id} NOT NULL,
      PRIMARY KEY (stream, path, value_key, group_id)
    ) ${table}`,
    `CREATE INDEX watch_keys_group ON watch_keys (group_id)`,

    `CREATE TABLE watches (
      connection_id ${id} NOT NULL,
      watch_id varchar(100) NOT NULL,
      group_id ${id} NOT NULL,
      query_id ${id} NOT NULL,
      active ${flag} NOT NULL,
      opening ${id} NOT NULL,
      shift ${bigint},
      opened_at ${bigint} NOT NULL,
      PRIMARY KEY (connection_id, watch_id)
    ) ${hotTable}`,
    `CREATE INDEX watches_group ON watches (group_id, active)`,
    `CREATE INDEX watches_opened ON watches (opened_at)`,
  ],
};

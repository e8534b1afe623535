/** Games of the examples: two players, a room for the referee's messages, and the state as JSON. A queue's row is its lock. */
import type { Migration } from "../migration.ts";

export const games: Migration = {
  version: 21,
  name: "games",
  statements: ({ id, text, bigint, table, hotTable }) => [
    `CREATE TABLE games (
      id ${id} NOT NULL PRIMARY KEY,
      room_id ${id} NOT NULL,
      first_player ${id} NOT NULL,
      second_player ${id},
      status varchar(16) NOT NULL,
      state ${text} NOT NULL,
      created_at ${bigint} NOT NULL,
      updated_at ${bigint} NOT NULL
    ) ${hotTable}`,
    `CREATE INDEX games_first_player ON games (first_player, created_at)`,
    `CREATE INDEX games_second_player ON games (second_player, created_at)`,
    `CREATE INDEX games_status ON games (status, created_at)`,
    `CREATE INDEX games_updated ON games (updated_at)`,
    `CREATE TABLE game_queues (
      name ${id} NOT NULL PRIMARY KEY,
      used_at ${bigint} NOT NULL
    ) ${table}`,
  ],
};

/**
 * The channel service. A tunnel is one connection of a mini-program, held here for a business server. Its frames are outbox and
 * record in one: `in` are calls to the business server, `out` are frames for the client, each direction numbered without gaps.
 *
 * `in_done` and `out_done` say up to which number they are done. `call_at` and `send_at` say from when on anybody may go on with
 * the rest; empty when there is no rest. While somebody does, they lie ahead, and `call_lease` and `send_lease` name who.
 */
import type { Migration } from "../migration.ts";

export const channels: Migration = {
  version: 10,
  name: "channels",
  statements: ({ id, text, bigint, integer, flag, table, hotTable }) => [
    // The id is the MD5 of the business server's host as its configuration writes it: the SDKs compute it.
    `CREATE TABLE channels (
      tc_id ${id} NOT NULL PRIMARY KEY,
      host varchar(255) NOT NULL,
      key_sealed ${text} NOT NULL,
      old_key_sealed ${text},
      old_key_until ${bigint},
      receive_url varchar(512),
      learned ${flag} NOT NULL,
      keeps_bodies ${flag} NOT NULL,
      created_at ${bigint} NOT NULL,
      used_at ${bigint}
    ) ${table}`,

    `CREATE TABLE tunnels (
      id ${id} NOT NULL PRIMARY KEY,
      tc_id ${id} NOT NULL,
      connect_hash ${id} NOT NULL,
      receive_url varchar(1024) NOT NULL,
      keeps_bodies ${flag} NOT NULL,
      created_at ${bigint} NOT NULL,
      connection_id ${id},
      gateway varchar(255),
      opened_at ${bigint},
      heard_at ${bigint} NOT NULL,
      closed_at ${bigint},
      close_reason ${id},
      in_seq ${integer} NOT NULL DEFAULT 0,
      in_done ${integer} NOT NULL DEFAULT 0,
      in_bytes ${integer} NOT NULL DEFAULT 0,
      call_at ${bigint},
      call_lease ${id},
      out_seq ${integer} NOT NULL DEFAULT 0,
      out_done ${integer} NOT NULL DEFAULT 0,
      out_bytes ${integer} NOT NULL DEFAULT 0,
      send_at ${bigint},
      send_lease ${id}
    ) ${hotTable}`,
    `CREATE INDEX tunnels_connection ON tunnels (connection_id)`,
    `CREATE INDEX tunnels_silent ON tunnels (closed_at, heard_at)`,
    `CREATE INDEX tunnels_call ON tunnels (call_at)`,
    `CREATE INDEX tunnels_send ON tunnels (send_at)`,
    `CREATE INDEX tunnels_channel ON tunnels (tc_id, connection_id, closed_at, created_at)`,

    `CREATE TABLE tunnel_frames (
      tunnel_id ${id} NOT NULL,
      direction ${id} NOT NULL,
      seq ${integer} NOT NULL,
      kind ${id} NOT NULL,
      content ${text},
      bytes ${integer} NOT NULL,
      at ${bigint} NOT NULL,
      tries ${integer} NOT NULL DEFAULT 0,
      status ${id},
      ms ${integer},
      done_at ${bigint},
      PRIMARY KEY (tunnel_id, direction, seq)
    ) ${table}`,
    `CREATE INDEX tunnel_frames_done ON tunnel_frames (done_at)`,
  ],
};

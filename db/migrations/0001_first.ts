/**
 * Tables of the first version.
 *
 * Times are milliseconds since 1970, UTC. Money is integer fen. Flags are 0 or 1. Structured values are JSON text that our code
 * writes and reads; nothing is queried inside it. There are no foreign keys: their locks on the parent rows would add a second
 * lock order beside ours (keys, orders, dishes by id, day counter, streams by name), and rows are only removed by `sweep`.
 */
import type { Migration } from "../migration.ts";

export const first: Migration = {
  version: 1,
  name: "first",
  statements: ({ id, text, bigint, integer, flag, table, hotTable }) => [
    `CREATE TABLE users (
      id ${id} NOT NULL PRIMARY KEY,
      profile ${text},
      created_at ${bigint} NOT NULL
    ) ${table}`,

    // The app id is looked up by a keyed hash; id and secret are stored encrypted.
    `CREATE TABLE wechat_apps (
      id ${id} NOT NULL PRIMARY KEY,
      name varchar(64) NOT NULL,
      appid_sealed ${text} NOT NULL,
      secret_sealed ${text} NOT NULL,
      created_at ${bigint} NOT NULL
    ) ${table}`,

    `CREATE TABLE wechat_accounts (
      app_id ${id} NOT NULL,
      openid ${id} NOT NULL,
      unionid ${id},
      user_id ${id} NOT NULL,
      session_key_sealed ${text} NOT NULL,
      session_key_at ${bigint} NOT NULL,
      PRIMARY KEY (app_id, openid)
    ) ${table}`,

    // Codes of wx.login that were sent to WeChat, hashed: a code is never sent twice.
    `CREATE TABLE wechat_codes (
      hash ${id} NOT NULL PRIMARY KEY,
      sent_at ${bigint} NOT NULL
    ) ${table}`,

    `CREATE TABLE sessions (
      id ${id} NOT NULL PRIMARY KEY,
      user_id ${id} NOT NULL,
      kind ${id} NOT NULL,
      shop_id ${id},
      role ${id},
      device varchar(64),
      token_hash ${id} NOT NULL,
      address_hash ${id},
      created_at ${bigint} NOT NULL,
      seen_at ${bigint} NOT NULL,
      expires_at ${bigint} NOT NULL,
      ended_at ${bigint},
      end_reason ${id}
    ) ${table}`,
    `CREATE INDEX sessions_user ON sessions (user_id)`,
    `CREATE INDEX sessions_shop ON sessions (shop_id)`,
    `CREATE INDEX sessions_ended ON sessions (ended_at)`,
    `CREATE INDEX sessions_expires ON sessions (expires_at)`,
    `CREATE INDEX sessions_address ON sessions (address_hash, created_at)`,

    `CREATE TABLE pairing_codes (
      hash ${id} NOT NULL PRIMARY KEY,
      shop_id ${id} NOT NULL,
      role ${id} NOT NULL,
      device varchar(64) NOT NULL,
      created_by ${id},
      created_at ${bigint} NOT NULL,
      expires_at ${bigint} NOT NULL,
      session_id ${id}
    ) ${table}`,

    `CREATE TABLE tickets (
      hash ${id} NOT NULL PRIMARY KEY,
      session_id ${id} NOT NULL,
      expires_at ${bigint} NOT NULL,
      connection_id ${id}
    ) ${table}`,
    `CREATE INDEX tickets_expires ON tickets (expires_at)`,

    `CREATE TABLE api_keys (
      id ${id} NOT NULL PRIMARY KEY,
      hash ${id} NOT NULL,
      name varchar(64) NOT NULL,
      scopes ${text} NOT NULL,
      shop_id ${id},
      created_at ${bigint} NOT NULL,
      revoked_at ${bigint}
    ) ${table}`,
    `CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash)`,

    // live: a kitchen screen is connected; kept here so that a change of it can be an event.
    `CREATE TABLE shops (
      id ${id} NOT NULL PRIMARY KEY,
      names ${text} NOT NULL,
      zone ${id} NOT NULL,
      rollover_minutes ${integer} NOT NULL,
      is_open ${flag} NOT NULL,
      live ${flag} NOT NULL,
      menu_version ${bigint} NOT NULL,
      settings ${text} NOT NULL,
      created_at ${bigint} NOT NULL
    ) ${table}`,

    // A menu is one document with a version; an order is priced from exactly one of them.
    `CREATE TABLE menus (
      shop_id ${id} NOT NULL,
      version ${bigint} NOT NULL,
      document ${text} NOT NULL,
      created_by ${id},
      created_at ${bigint} NOT NULL,
      PRIMARY KEY (shop_id, version)
    ) ${table}`,

    `CREATE TABLE dining_tables (
      token ${id} NOT NULL PRIMARY KEY,
      shop_id ${id} NOT NULL,
      label varchar(32) NOT NULL,
      created_at ${bigint} NOT NULL,
      removed_at ${bigint}
    ) ${table}`,
    `CREATE INDEX dining_tables_shop ON dining_tables (shop_id)`,

    // One row per dish and business day, made on first use. stock is null for a dish that is not counted.
    `CREATE TABLE dish_days (
      shop_id ${id} NOT NULL,
      dish_id ${id} NOT NULL,
      day ${id} NOT NULL,
      stock ${integer},
      sold ${integer} NOT NULL,
      sold_out ${flag} NOT NULL,
      PRIMARY KEY (shop_id, dish_id, day),
      CONSTRAINT dish_days_stock CHECK (sold >= 0 AND sold <= stock)
    ) ${hotTable}`,

    `CREATE TABLE shop_days (
      shop_id ${id} NOT NULL,
      day ${id} NOT NULL,
      orders ${integer} NOT NULL,
      PRIMARY KEY (shop_id, day)
    ) ${hotTable}`,

    // body_hash distinguishes a repeat from another request under the same key; result_id is the first one's result.
    `CREATE TABLE idempotency_keys (
      owner_id ${id} NOT NULL,
      idem_key ${id} NOT NULL,
      body_hash ${id} NOT NULL,
      result_id ${id} NOT NULL,
      created_at ${bigint} NOT NULL,
      PRIMARY KEY (owner_id, idem_key)
    ) ${table}`,
    `CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at)`,

    `CREATE TABLE orders (
      id ${id} NOT NULL PRIMARY KEY,
      shop_id ${id} NOT NULL,
      user_id ${id} NOT NULL,
      session_id ${id} NOT NULL,
      is_guest ${flag} NOT NULL,
      address_hash ${id},
      day ${id} NOT NULL,
      day_number ${integer} NOT NULL,
      number ${id} NOT NULL,
      service ${id} NOT NULL,
      table_token ${id},
      table_label varchar(32),
      delivery ${text},
      note varchar(200) NOT NULL,
      menu_version ${bigint} NOT NULL,
      items_fen ${bigint} NOT NULL,
      packing_fen ${bigint} NOT NULL,
      delivery_fen ${bigint} NOT NULL,
      total_fen ${bigint} NOT NULL,
      status ${id} NOT NULL,
      version ${integer} NOT NULL,
      payment ${id} NOT NULL,
      paid_at ${bigint},
      reason varchar(200),
      placed_at ${bigint} NOT NULL,
      accepted_at ${bigint},
      ready_at ${bigint},
      completed_at ${bigint},
      ended_at ${bigint},
      escalate_at ${bigint} NOT NULL,
      escalated_at ${bigint},
      expire_at ${bigint} NOT NULL,
      updated_at ${bigint} NOT NULL,
      CONSTRAINT orders_money CHECK (total_fen >= 0 AND total_fen = items_fen + packing_fen + delivery_fen)
    ) ${hotTable}`,
    `CREATE INDEX orders_status ON orders (status, shop_id, placed_at)`,
    `CREATE INDEX orders_shop_day ON orders (shop_id, day, day_number)`,
    `CREATE INDEX orders_user ON orders (user_id, placed_at)`,
    `CREATE INDEX orders_ended ON orders (ended_at)`,

    // The lines of an order, with names and prices as bought. Only struck_at and struck_by ever change.
    `CREATE TABLE order_lines (
      order_id ${id} NOT NULL,
      line_no ${integer} NOT NULL,
      dish_id ${id} NOT NULL,
      names ${text} NOT NULL,
      options ${text} NOT NULL,
      station ${id},
      quantity ${integer} NOT NULL,
      unit_fen ${bigint} NOT NULL,
      total_fen ${bigint} NOT NULL,
      counted ${flag} NOT NULL,
      note varchar(100) NOT NULL,
      struck_at ${bigint},
      struck_by ${id},
      PRIMARY KEY (order_id, line_no),
      CONSTRAINT order_lines_money CHECK (quantity > 0 AND unit_fen >= 0 AND total_fen = unit_fen * quantity)
    ) ${table}`,

    // Append-only: every step, with its actor and time.
    `CREATE TABLE order_history (
      order_id ${id} NOT NULL,
      version ${integer} NOT NULL,
      action ${id} NOT NULL,
      from_status ${id},
      to_status ${id} NOT NULL,
      actor ${id} NOT NULL,
      session_id ${id},
      reason varchar(200),
      at ${bigint} NOT NULL,
      PRIMARY KEY (order_id, version)
    ) ${table}`,

    // The head of each stream. Every change of state locks this row, so the order of numbers is the order of commits.
    `CREATE TABLE streams (
      name ${id} NOT NULL PRIMARY KEY,
      epoch ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      tag ${id} NOT NULL,
      changed_at ${bigint} NOT NULL,
      source_seq ${bigint} NOT NULL
    ) ${hotTable}`,

    `CREATE TABLE events (
      stream ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      tag ${id} NOT NULL,
      type ${id} NOT NULL,
      data ${text} NOT NULL,
      at ${bigint} NOT NULL,
      PRIMARY KEY (stream, seq)
    ) ${table}`,
    `CREATE INDEX events_at ON events (at)`,

    `CREATE TABLE connections (
      id ${id} NOT NULL PRIMARY KEY,
      session_id ${id} NOT NULL,
      gateway varchar(255) NOT NULL,
      connected_at ${bigint} NOT NULL,
      opened_at ${bigint}
    ) ${table}`,
    `CREATE INDEX connections_session ON connections (session_id, connected_at)`,
    `CREATE INDEX connections_connected ON connections (connected_at)`,

    // Used by the gateways of the cloud, which have no memory. number is the client's growing one: of two messages the higher wins.
    `CREATE TABLE subscriptions (
      connection_id ${id} NOT NULL,
      stream ${id} NOT NULL,
      number ${bigint} NOT NULL,
      active ${flag} NOT NULL,
      PRIMARY KEY (connection_id, stream)
    ) ${hotTable}`,
    `CREATE INDEX subscriptions_stream ON subscriptions (stream)`,

    // Screens that watch a kitchen's stream, with the time of the last heartbeat.
    `CREATE TABLE screens (
      id ${id} NOT NULL PRIMARY KEY,
      shop_id ${id} NOT NULL,
      seen_at ${bigint} NOT NULL
    ) ${hotTable}`,
    `CREATE INDEX screens_shop ON screens (shop_id)`,

    `CREATE TABLE rooms (
      id ${id} NOT NULL PRIMARY KEY,
      owner_id ${id} NOT NULL,
      grant_version ${integer} NOT NULL,
      created_at ${bigint} NOT NULL
    ) ${table}`,

    // A sender's messages in a room, each with its number.
    `CREATE TABLE room_messages (
      stream ${id} NOT NULL,
      sender_id ${id} NOT NULL,
      message_id ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      at ${bigint} NOT NULL,
      PRIMARY KEY (stream, sender_id, message_id)
    ) ${table}`,
    `CREATE INDEX room_messages_at ON room_messages (at)`,

    `CREATE TABLE notifications (
      id ${id} NOT NULL PRIMARY KEY,
      stream ${id} NOT NULL,
      data ${text} NOT NULL,
      at ${bigint} NOT NULL
    ) ${table}`,
    `CREATE INDEX notifications_stream ON notifications (stream, at)`,

    // Append-only: changes by staff, except those of orders.
    `CREATE TABLE audit (
      id ${id} NOT NULL PRIMARY KEY,
      shop_id ${id} NOT NULL,
      session_id ${id},
      action ${id} NOT NULL,
      detail ${text} NOT NULL,
      at ${bigint} NOT NULL
    ) ${table}`,
    `CREATE INDEX audit_shop ON audit (shop_id, at)`,
  ],
};

/**
 * A function that stores new orders in one statement, and indexes for the numbers it draws (PostgreSQL). A later migration that adds a
 * column to one of its tables replaces the function.
 */
import type { Migration } from "../migration.ts";
import { guardState } from "../postgres_text.ts";

/** `pickupNumber` of shared/day.ts has the same rule. Made of immutable parts, so that the planner writes it out in place. */
const pickupNumberFunction = `
CREATE OR REPLACE FUNCTION orderbell_pickup_number(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN (n - 1) / 999 < 26 THEN '' ELSE chr(64 + (n - 1) / 999 / 26) END
    || chr(65 + (n - 1) / 999 % 26) || lpad(((n - 1) % 999 + 1)::text, 3, '0')
$$`;

/**
 * Each statement of a function sees what was committed while the ones before it waited for their locks, so the checks stand behind
 * the locks. Rows are looked up by scalar subqueries on a key: which table of a join is read first would depend on what the planner
 * believes of their sizes, and it plans once for each connection, often while all tables are empty.
 */
const placeOrdersFunction = `
CREATE OR REPLACE FUNCTION orderbell_place_orders(
  now_ms bigint, screens_since bigint, ended_since bigint,
  key_rows json, dish_rows json, day_rows json, head_rows json,
  claim_rows json, shop_rows json, stock_rows json, limit_rows json,
  order_rows json, line_rows json, event_rows json, event_texts text
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  totals integer[]; -- of each day
  epochs text[]; -- of each stream, as are the next two
  seqs bigint[];
  prevs text[];
BEGIN
  -- Locks, in the order of all writers. The rows of each table come sorted.
  INSERT INTO idempotency_keys (owner_id, idem_key, body_hash, result_id, created_at)
  SELECT owner_id, idem_key, body_hash, result_id, created_at
  FROM json_populate_recordset(null::idempotency_keys, key_rows);

  IF dish_rows IS NOT NULL THEN
    INSERT INTO dish_days AS d (shop_id, dish_id, day, stock, sold, sold_out)
    SELECT shop_id, dish_id, day, stock, sold, 0
    FROM json_populate_recordset(null::dish_days, dish_rows)
    ON CONFLICT (shop_id, dish_id, day) DO UPDATE SET sold = d.sold + excluded.sold;
  END IF;

  WITH counted AS (
    INSERT INTO shop_days AS d (shop_id, day, orders)
    SELECT shop_id, day, orders
    FROM json_populate_recordset(null::shop_days, day_rows)
    ON CONFLICT (shop_id, day) DO UPDATE SET orders = d.orders + excluded.orders
    RETURNING shop_id, day, orders
  )
  SELECT array_agg(orders ORDER BY shop_id, day) INTO totals FROM counted;

  WITH moved AS (
    INSERT INTO streams AS s (name, epoch, seq, tag, changed_at, source_seq)
    SELECT name, epoch, seq, tag, now_ms, 0
    FROM json_populate_recordset(null::streams, head_rows)
    ON CONFLICT (name) DO UPDATE
    SET seq = s.seq + excluded.seq, prev = s.tag, tag = excluded.tag, changed_at = excluded.changed_at
    RETURNING name, epoch, seq, prev
  )
  SELECT array_agg(epoch), array_agg(seq), array_agg(prev) INTO epochs, seqs, prevs
  FROM (SELECT * FROM moved ORDER BY name) sorted;

  -- Checks: whatever differs from what the caller held.
  IF EXISTS (
    SELECT FROM json_to_recordset(claim_rows) AS r(session text, owner text, token_hash text, kind text)
    WHERE (
      SELECT s.user_id = r.owner AND s.token_hash = r.token_hash AND s.kind = r.kind
        AND s.ended_at IS NULL AND s.expires_at > now_ms
      FROM sessions s WHERE s.id = r.session
    ) IS NOT TRUE
  ) OR EXISTS (
    SELECT FROM json_to_recordset(shop_rows)
      AS r(shop text, menu_version bigint, menu_at bigint, needs_screen boolean)
    WHERE (
      SELECT h.is_open = 1 AND h.menu_version = r.menu_version FROM shops h WHERE h.id = r.shop
    ) IS NOT TRUE OR (
      SELECT m.created_at = r.menu_at FROM menus m WHERE m.shop_id = r.shop AND m.version = r.menu_version
    ) IS NOT TRUE OR r.needs_screen AND NOT EXISTS (
      SELECT FROM screens c WHERE c.shop_id = r.shop AND c.seen_at BETWEEN screens_since AND 2 * now_ms - screens_since
    )
  ) OR EXISTS (
    SELECT FROM json_to_recordset(stock_rows) AS r(shop text, dish text, day text)
    WHERE (
      SELECT d.sold_out = 1 OR d.sold >= d.stock
      FROM dish_days d WHERE d.shop_id = r.shop AND d.dish_id = r.dish AND d.day = r.day
    )
  ) OR limit_rows IS NOT NULL AND EXISTS (
    SELECT FROM json_to_recordset(limit_rows)
      AS r(shop text, session text, table_token text, address_hash text, wider_hash text, allowed bigint)
    WHERE r.allowed < (
      SELECT count(*) FROM (
        SELECT FROM orders o WHERE o.status = 'placed' AND o.shop_id = r.shop AND o.ended_at IS NULL
          AND (r.session IS NULL OR o.session_id = r.session)
          AND (r.table_token IS NULL OR o.table_token = r.table_token)
          AND (r.address_hash IS NULL OR o.address_hash = r.address_hash)
          AND (r.wider_hash IS NULL OR o.wider_hash = r.wider_hash)
        LIMIT greatest(r.allowed + 1, 0)
      ) waiting
    )
  ) OR EXISTS (
    -- Numbers that another day's order still holds. The lock on the shop's stream keeps two days from drawing at once.
    SELECT FROM json_populate_recordset(null::shop_days, day_rows) WITH ORDINALITY AS r(shop_id, day, orders, nth),
      generate_series(totals[nth] - r.orders + 1, totals[nth]) AS n
    WHERE (
      SELECT count(*) FROM orders o WHERE o.shop_id = r.shop_id AND o.day_number = n AND o.ended_at IS NULL
    ) > 0 OR (
      SELECT count(*) FROM orders o WHERE o.shop_id = r.shop_id AND o.day_number = n AND o.ended_at > ended_since
    ) > 0
  ) THEN
    RAISE EXCEPTION USING ERRCODE = '${guardState}', MESSAGE = 'NOT_AS_HELD';
  END IF;

  WITH placed AS (
    INSERT INTO orders (id, shop_id, user_id, session_id, is_guest, address_hash, wider_hash, day, day_number, number,
      service, table_token, table_label, delivery, note, menu_version, items_fen, packing_fen, delivery_fen, total_fen,
      status, version, payment, placed_at, escalate_at, expire_at, updated_at)
    SELECT id, shop_id, user_id, session_id, is_guest, address_hash, wider_hash, day, totals[day_at] - day_back,
      orderbell_pickup_number(totals[day_at] - day_back),
      service, table_token, table_label, delivery, note, menu_version, items_fen, packing_fen, delivery_fen, total_fen,
      status, version, payment, placed_at, escalate_at, expire_at, updated_at
    FROM json_to_recordset(order_rows) AS r(id text, shop_id text, user_id text, session_id text, is_guest smallint,
      address_hash text, wider_hash text, day text, day_at integer, day_back integer,
      service text, table_token text, table_label text, delivery text, note text, menu_version bigint,
      items_fen bigint, packing_fen bigint, delivery_fen bigint, total_fen bigint,
      status text, version integer, payment text, placed_at bigint, escalate_at bigint, expire_at bigint, updated_at bigint)
    RETURNING id, version, status, session_id, placed_at
  )
  INSERT INTO order_history (order_id, version, action, to_status, actor, session_id, at)
  SELECT id, version, 'place', status, 'customer', session_id, placed_at FROM placed;

  INSERT INTO order_lines (order_id, line_no, dish_id, names, options, station, quantity, unit_fen, total_fen, counted, note)
  SELECT order_id, line_no, dish_id, names, options, station, quantity, unit_fen, total_fen, counted, note
  FROM json_populate_recordset(null::order_lines, line_rows);

  -- JSON has no line break inside, so one text holds the data of all events. Each gets its order's number.
  INSERT INTO events (stream, seq, tag, prev, type, data, at)
  SELECT stream, seqs[head_at] - head_back, tag, coalesce(prev, prevs[head_at]), 'order.placed',
    replace(data, '"number":""', '"number":"' || orderbell_pickup_number(totals[day_at] - day_back) || '"'), now_ms
  FROM ROWS FROM (
    json_to_recordset(event_rows)
      AS (stream text, head_at integer, head_back integer, tag text, prev text, day_at integer, day_back integer),
    unnest(string_to_array(event_texts, E'\\n'))
  ) AS r(stream, head_at, head_back, tag, prev, day_at, day_back, data);

  RETURN json_build_object('totals', totals, 'epochs', epochs, 'seqs', seqs, 'prevs', prevs);
END $$`;

/**
 * A number is free if no open order has it and none that ended a moment ago; placing an order adds to the first of these two only.
 * The first also serves what counts and lists open orders. For that they say `ended_at IS NULL`, which a state implies: then this index
 * is the cheapest even when the planner believes that every order waits, and no other one that has the shop is read from end to end.
 */
const indexes = [
  `DROP INDEX orders_shop_day`,
  `CREATE INDEX orders_day ON orders (day, shop_id, day_number)`,
  `DROP INDEX orders_taken`,
  `DROP INDEX orders_ended`,
  `CREATE INDEX orders_open ON orders (shop_id, day_number) WHERE ended_at IS NULL`,
  `CREATE INDEX orders_taken ON orders (shop_id, day_number, ended_at) WHERE ended_at IS NOT NULL`,
  `CREATE INDEX orders_ended ON orders (ended_at) WHERE ended_at IS NOT NULL`,
];

export const placeOrders: Migration = {
  version: 14,
  name: "place orders",
  statements: ({ functions }) => (functions ? [pickupNumberFunction, placeOrdersFunction, ...indexes] : []),
};

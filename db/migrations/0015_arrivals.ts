/**
 * Functions that issue and redeem the tickets of many clients in one statement (PostgreSQL). A later migration that adds a column to
 * one of their tables need not replace them.
 */
import type { Migration } from "../migration.ts";

/**
 * Row by row and by a key: the plan of a join would depend on what the planner knows of the tables, and plans are made once for each
 * connection, often while the tables are empty.
 */
const issueTickets = `
CREATE OR REPLACE FUNCTION orderbell_issue_tickets(ticket_rows json, now_ms bigint)
RETURNS SETOF sessions LANGUAGE plpgsql AS $$
DECLARE
  asked record;
  found_session sessions;
BEGIN
  FOR asked IN SELECT * FROM json_to_recordset(ticket_rows) AS r(hash text, session_id text, token_hash text, expires_at bigint) LOOP
    SELECT * INTO found_session FROM sessions s WHERE s.id = asked.session_id;
    CONTINUE WHEN NOT FOUND;
    RETURN NEXT found_session;
    IF found_session.token_hash = asked.token_hash AND found_session.ended_at IS NULL AND found_session.expires_at > now_ms THEN
      DELETE FROM tickets t WHERE t.session_id = asked.session_id AND t.expires_at <= now_ms;
      INSERT INTO tickets (hash, session_id, expires_at) VALUES (asked.hash, asked.session_id, asked.expires_at);
    END IF;
  END LOOP;
END $$`;

/** Of two upgrades with one ticket the second finds it taken, in the same call or in another one that waited for the first. */
const redeemTickets = `
CREATE OR REPLACE FUNCTION orderbell_redeem_tickets(redemption_rows json, gateway_name text, now_ms bigint, opened_ms bigint)
RETURNS TABLE (connection_id text, id text, user_id text, kind text, shop_id text, role text, device text, created_at bigint,
  expires_at bigint, ended_at bigint, connections bigint) LANGUAGE plpgsql AS $$
DECLARE
  asked record;
  ticket_session text;
  found_session sessions;
BEGIN
  FOR asked IN SELECT * FROM json_to_recordset(redemption_rows) AS r(hash text, connection text) LOOP
    UPDATE tickets t SET connection_id = asked.connection
    WHERE t.hash = asked.hash AND t.connection_id IS NULL AND t.expires_at > now_ms RETURNING t.session_id INTO ticket_session;
    CONTINUE WHEN NOT FOUND;
    SELECT * INTO found_session FROM sessions s WHERE s.id = ticket_session;
    CONTINUE WHEN NOT FOUND OR found_session.ended_at IS NOT NULL OR found_session.expires_at <= now_ms;
    INSERT INTO connections (id, session_id, gateway, connected_at, opened_at)
    VALUES (asked.connection, ticket_session, gateway_name, now_ms, opened_ms);
    RETURN QUERY SELECT asked.connection, found_session.id::text, found_session.user_id::text, found_session.kind::text,
      found_session.shop_id::text, found_session.role::text, found_session.device::text, found_session.created_at,
      found_session.expires_at, found_session.ended_at,
      CASE WHEN found_session.kind = 'key' THEN 0
        ELSE (SELECT count(*) FROM connections c WHERE c.session_id = ticket_session) END;
  END LOOP;
END $$`;

export const arrivals: Migration = {
  version: 15,
  name: "arrivals",
  statements: ({ functions }) => (functions ? [issueTickets, redeemTickets] : []),
};

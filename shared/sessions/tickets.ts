/** One-time tickets for the socket: proxies log URLs and headers of a handshake, so it must not carry the session's token. */
import { inOrderOf } from "../../db/by_keys.ts";
import type { Row } from "../../db/database.ts";
import { issueTickets, type NewTicket, type Redemption, redeemTickets } from "../../db/tickets.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { byHalves } from "../by_halves.ts";
import { SessionEnded, TicketInvalid } from "../errors.ts";
import { authenticateKey, isApiKey, noToken, type Scope } from "./api_key.ts";
import { sessionOfKey } from "./key_session.ts";
import { aliveOf, type Claim, claimOf, type Session, slide, verifyClaim } from "./session.ts";

export interface IssuedTicket {
  readonly session: Session;
  readonly ticket: string;
  readonly expiresAt: number;
}

/**
 * A ticket for a session's token, or for a key with one of these scopes.
 * @throws SessionMissing, SessionInvalid, SessionEnded, SessionExpired, ApiKeyInvalid
 */
export async function ticketFor(
  app: App,
  authorization: string | undefined,
  ...taken: readonly Scope[]
): Promise<IssuedTicket> {
  if (!isApiKey(authorization)) return issueTicket(app, claimOf(app, authorization));
  return issueTicketOfKey(app, await sessionOfKey(app, await authenticateKey(app, authorization, ...taken)));
}

/** Verifies the claim and issues a ticket, in one trip. @throws SessionInvalid, SessionEnded, SessionExpired */
export async function issueTicket(app: App, claim: Claim): Promise<IssuedTicket> {
  const { row, now, ...issued } = await issue(app, claim.session, claim.hash);
  return { ...issued, session: await slide(app, verifyClaim(claim, row, now), now) };
}

/** For the session of a key, which has no token. @throws SessionEnded */
async function issueTicketOfKey(app: App, { id }: Session): Promise<IssuedTicket> {
  const { row, now, ...issued } = await issue(app, id, noToken);
  if (row === undefined) throw new SessionEnded();
  return { ...issued, session: aliveOf(row, now) };
}

/** @returns the session's row, read behind the insert: a session that lives in it had its ticket stored */
async function issue(app: App, session: string, tokenHash: string) {
  const ticket = `obt_${app.random.secret(24)}`;
  const now = app.clock.now();
  const expiresAt = now + app.config.ticketMs;
  const row = await app.arrivals.add(issueBatch, app, {
    hash: app.secrets.hash(ticket),
    session_id: session,
    token_hash: tokenHash,
    expires_at: expiresAt,
  });
  return { row, now, ticket, expiresAt };
}

/** @returns the row of each ticket's session */
function issueBatch(app: App, batch: readonly NewTicket[]): Promise<PromiseSettledResult<Row | undefined>[]> {
  return byHalves(batch, async (tickets) => {
    const { rows } = await app.db.flight({ statements: issueTickets(app.db.dialect, tickets, app.clock.now()) });
    const sessions = tickets.map(({ session_id }) => session_id);
    return inOrderOf(sessions, rows.at(-1) ?? [], "id").map(fulfilled);
  });
}

export interface Redeemed {
  readonly session: Session;
  /** Connections of the session, this one included; 0 where there is no limit of them. */
  readonly connections: number;
}

/** Takes the ticket, once, and registers the connection. @throws TicketInvalid */
export async function redeemTicket(app: App, ticket: string, connection: string, gateway: string): Promise<Redeemed> {
  const row = await app.arrivals.add(redeemBatch, app, { hash: app.secrets.hash(ticket), connection, gateway });
  if (row === undefined) throw new TicketInvalid();
  return { session: aliveOf(row, app.clock.now()), connections: Number(row.connections) };
}

interface Handshake extends Redemption {
  readonly gateway: string;
}

/** @returns the row of each connection with its session; undefined for those whose ticket opens nothing */
async function redeemBatch(app: App, batch: readonly Handshake[]): Promise<PromiseSettledResult<Row | undefined>[]> {
  const at = app.clock.now();
  // Where this process holds the sockets, no push can come between a connection and its opening.
  const openedAt = app.pushes === undefined ? null : at;
  // Of several with one ticket the first has it.
  const seen = new Set<string>();
  const isFirst = batch.map(({ hash }) => !seen.has(hash) && seen.add(hash) !== undefined);
  const firsts = batch.filter((_, at) => isFirst[at]);
  const outcomes = new Map<Handshake, PromiseSettledResult<Row | undefined>>();
  for (const gateway of new Set(firsts.map((one) => one.gateway))) {
    const own = firsts.filter((one) => one.gateway === gateway);
    const settled = await byHalves(own, async (redemptions) => {
      const statements = redeemTickets(app.db.dialect, redemptions, { gateway, at, openedAt });
      const { rows } = await app.db.flight({ statements });
      const connections = redemptions.map(({ connection }) => connection);
      return inOrderOf(connections, rows.at(-1) ?? [], "connection_id").map(fulfilled);
    });
    for (const [k, one] of own.entries()) outcomes.set(one, settled[k] as PromiseSettledResult<Row | undefined>);
  }
  return batch.map((one) => outcomes.get(one) ?? fulfilled(undefined));
}

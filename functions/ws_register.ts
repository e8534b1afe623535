/**
 * The handshake of a socket: a valid ticket opens it, and the connection is stored. A ticket in the address is a tunnel's or that of
 * CloudBase's client, which offers no subprotocol either.
 */
import { type ConnectRequest, connect } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { TicketInvalid } from "../shared/errors.ts";
import { subprotocol, ticketPrefix } from "../shared/protocol.ts";
import type { Session } from "../shared/sessions/session.ts";
import { register } from "../shared/streams/transmit.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { acceptTunnel } from "../shared/wafer/tunnels.ts";
import { connectionOpened } from "../shared/webhooks/connection_events.ts";

export const handler = connect(async (app, request) => {
  const { connection, protocols } = request;
  const gateway = app.config.callbackUrl ?? request.gateway;
  const tunnel = tunnelIn(request);
  if (tunnel !== undefined) {
    await acceptTunnel(app, tunnel, connection, gateway);
    return undefined;
  }
  const ofWatches = protocols.length === 0 ? request.query.ticket : undefined;
  if (ofWatches !== undefined) {
    await acceptWatches(app, request, ofWatches, gateway);
    return undefined;
  }
  const ticket = protocols.find((one) => one.startsWith(ticketPrefix))?.slice(ticketPrefix.length);
  if (ticket === undefined || !protocols.includes(subprotocol)) throw new TicketInvalid();
  const session = await register(app, ticket, connection, gateway);
  noteSession(request, session);
  await connectionOpened(app, connection, session);
  return subprotocol;
});

/**
 * It is always accepted: without a socket the client tries for ever and tells its app nothing. With a ticket that opens nothing there
 * is no connection, and the client's first frame, LOGIN, is answered with the reason.
 */
async function acceptWatches(app: App, request: ConnectRequest, ticket: string, gateway: string): Promise<void> {
  const { connection } = request;
  try {
    const session = await register(app, ticket, connection, gateway, "refuse");
    noteSession(request, session);
    await connectionOpened(app, connection, session);
  } catch (error) {
    const refusal = toAppError(app, error);
    if (refusal.status >= 500) throw refusal;
    app.log.info("watch.refused", { connection, code: refusal.code });
  }
}

/** A device is a session of staff; the name that a person gave it stays out of the log. */
function noteSession({ notes }: ConnectRequest, { id, kind }: Session): void {
  notes.session = id;
  if (kind === "staff") notes.device = id;
}

/** Wafer's clients offer no subprotocol: what they have to say stands in the address they were given. */
function tunnelIn({ protocols, query }: ConnectRequest): { tunnelId: string; ticket: string } | undefined {
  const { tunnelId, ticket } = query;
  return protocols.length > 0 || tunnelId === undefined || ticket === undefined ? undefined : { tunnelId, ticket };
}

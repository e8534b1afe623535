/** The handshake of a socket: a valid ticket opens it, and the connection is stored. A tunnel's ticket is in the address. */
import { type ConnectRequest, connect } from "../apigateway/entry.ts";
import { TicketInvalid } from "../shared/errors.ts";
import { subprotocol, ticketPrefix } from "../shared/protocol.ts";
import { register } from "../shared/streams/transmit.ts";
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
  const ticket = protocols.find((one) => one.startsWith(ticketPrefix))?.slice(ticketPrefix.length);
  if (ticket === undefined || !protocols.includes(subprotocol)) throw new TicketInvalid();
  const session = await register(app, ticket, connection, gateway);
  await connectionOpened(app, connection, session);
  return subprotocol;
});

/** Wafer's clients offer no subprotocol: what they have to say stands in the address they were given. */
function tunnelIn({ protocols, query }: ConnectRequest): { tunnelId: string; ticket: string } | undefined {
  const { tunnelId, ticket } = query;
  return protocols.length > 0 || tunnelId === undefined || ticket === undefined ? undefined : { tunnelId, ticket };
}

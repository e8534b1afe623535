/** Somebody knocks at the socket: a good ticket opens, the connection is recorded. */
import { connect } from "../apigateway/entry.ts";
import { TicketInvalid } from "../shared/errors.ts";
import { subprotocol, ticketPrefix } from "../shared/protocol.ts";
import { register } from "../shared/transmit.ts";
import { handlerOf } from "./_app.ts";

export const wsRegister = connect(async (app, { connection, protocols, gateway }) => {
  const ticket = protocols.find((one) => one.startsWith(ticketPrefix))?.slice(ticketPrefix.length);
  if (ticket === undefined || !protocols.includes(subprotocol)) throw new TicketInvalid();
  await register(app, ticket, connection, app.config.callbackUrl ?? gateway);
  return subprotocol;
});

export const handler = handlerOf(wsRegister);

/** A client says something over the socket. */
import { message } from "../apigateway/entry.ts";
import { transmit } from "../shared/transmit.ts";
import { handlerOf } from "./_app.ts";

export const wsTransmit = message(transmit);

export const handler = handlerOf(wsTransmit);

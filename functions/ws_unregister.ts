/** A connection was closed, if anybody tells us. */
import { disconnect } from "../apigateway/entry.ts";
import { unregister } from "../shared/transmit.ts";
import { handlerOf } from "./_app.ts";

export const wsUnregister = disconnect(unregister);

export const handler = handlerOf(wsUnregister);

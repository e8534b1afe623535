/** The socket's address, without a ticket. */
import type { HttpRequest } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";

export const socketUrlOf = ({ config }: App, { origin }: HttpRequest): string =>
  config.socketUrl ?? `${origin.replace(/^http/, "ws")}/pgws`;

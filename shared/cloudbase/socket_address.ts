/** The address of the socket that CloudBase's clients open for watches. It carries a one-time ticket: they offer no subprotocol. */
import type { App } from "../app.ts";
import { AppError } from "../errors.ts";
import { type IssuedTicket, ticketFor } from "../sessions/tickets.ts";

export interface SocketAddress {
  readonly signStr: string;
  readonly wsUrl: string;
  readonly secretVersion: number;
  readonly envId: string;
}

/**
 * Always an address: a client that gets an error here before its first socket says nothing to its app, ever. Who is not signed in
 * gets a ticket that opens nothing, and is refused on the socket, where the app hears of it.
 * @param socketUrl without a ticket
 */
export async function socketAddress(
  app: App,
  authorization: string | undefined,
  socketUrl: string,
  envId: string,
): Promise<SocketAddress> {
  const { ticket } = (await ticketIfKnown(app, authorization)) ?? { ticket: noTicket };
  return { signStr: "ticket", wsUrl: `${socketUrl}?ticket=${ticket}`, secretVersion: 1, envId };
}

const noTicket = "none";

/** Undefined where nobody is signed in. A failure of the server is thrown: then the client tries again. */
async function ticketIfKnown(app: App, authorization: string | undefined): Promise<IssuedTicket | undefined> {
  if (authorization === undefined) return undefined;
  try {
    return await ticketFor(app, authorization, "collections", "collections:admin");
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return undefined;
    throw error;
  }
}

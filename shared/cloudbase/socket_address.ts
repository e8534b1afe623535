/** The address of the socket that CloudBase's clients open for watches. It carries a one-time ticket: they offer no subprotocol. */
import type { App } from "../app.ts";
import { AppError } from "../errors.ts";
import { authenticateKey, isApiKey } from "../sessions/api_key.ts";
import { sessionOfKey } from "../sessions/key_session.ts";
import { claimOf } from "../sessions/session.ts";
import { type IssuedTicket, issueTicket, issueTicketOfKey } from "../sessions/tickets.ts";

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
  const { ticket } = (await ticketFor(app, authorization)) ?? { ticket: noTicket };
  return { signStr: "ticket", wsUrl: `${socketUrl}?ticket=${ticket}`, secretVersion: 1, envId };
}

const noTicket = "none";

/** Undefined where nobody is signed in. A failure of the server is thrown: then the client tries again. */
async function ticketFor(app: App, authorization: string | undefined): Promise<IssuedTicket | undefined> {
  if (authorization === undefined) return undefined;
  try {
    if (!isApiKey(authorization)) return await issueTicket(app, claimOf(app, authorization));
    const key = await authenticateKey(app, authorization, "collections", "collections:admin");
    return await issueTicketOfKey(app, await sessionOfKey(app, key));
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return undefined;
    throw error;
  }
}

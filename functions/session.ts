/** Shows or ends the caller's own session, or issues a ticket for the socket. */
import { http, noContent, ok } from "../apigateway/entry.ts";
import { readUser } from "../db/sessions.ts";
import { end } from "../shared/sessions/login.ts";
import { sessionView } from "../shared/sessions/session.ts";
import { ticketFor } from "../shared/sessions/tickets.ts";
import { signedIn } from "./_signed_in.ts";
import { socketUrlOf } from "./_socket_url.ts";

export const handler = http({
  "GET /session": async (app, request) => {
    const mine = await signedIn(app, request);
    const [rows] = await app.db.read([readUser(mine.user)]);
    const profile = rows[0]?.profile;
    return ok({
      session: sessionView(mine),
      user: { id: mine.user, ...(typeof profile === "string" ? { profile: JSON.parse(profile) } : {}) },
    });
  },
  "DELETE /session": async (app, request) => {
    const mine = await signedIn(app, request);
    await end(app, mine.id, "signed_out");
    return noContent;
  },
  "POST /session/ticket": async (app, request) => {
    const { session, ticket, expiresAt } = await ticketFor(app, request.authorization, "orders:read");
    request.notes.session = session.id;
    const socket = socketUrlOf(app, request);
    return { status: 201, body: { ticket, expiresAt: new Date(expiresAt).toISOString(), socket } };
  },
});

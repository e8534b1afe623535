/** A session's owner looks at it, ends it, or fetches a ticket for the socket. */

import { http, noContent, ok } from "../apigateway/entry.ts";
import { readUser } from "../db/sessions.ts";
import { end, newTicket } from "../shared/login.ts";
import { authenticate, sessionView } from "../shared/session.ts";
import { handlerOf } from "./_app.ts";

export const session = http({
  "GET /session": async (app, request) => {
    const mine = await authenticate(app, request.authorization);
    request.notes.session = mine.id;
    const [rows] = await app.db.read([readUser(mine.user)]);
    const profile = rows?.[0]?.profile;
    return ok({
      session: sessionView(mine),
      user: { id: mine.user, ...(typeof profile === "string" ? { profile: JSON.parse(profile) } : {}) },
    });
  },
  "DELETE /session": async (app, request) => {
    const mine = await authenticate(app, request.authorization);
    request.notes.session = mine.id;
    await end(app, mine.id, "signed_out");
    return noContent;
  },
  "POST /session/ticket": async (app, request) => {
    const mine = await authenticate(app, request.authorization);
    request.notes.session = mine.id;
    const { ticket, expiresAt } = await newTicket(app, mine);
    return { status: 201, body: { ticket, expiresAt: new Date(expiresAt).toISOString() } };
  },
});

export const handler = handlerOf(session);

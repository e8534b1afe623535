/** Rooms are made, and who may join is said. */
import * as v from "valibot";
import { created, http, noContent } from "../apigateway/entry.ts";
import { grantRights } from "../shared/authority.ts";
import { grantRoom, makeRoom, withdrawGrants } from "../shared/room.ts";
import { authenticate } from "../shared/session.ts";
import { check, integer, ulid } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

const maxLifeSec = 30 * 86_400;
const roomBody = v.strictObject({ grantSec: v.optional(integer(60, maxLifeSec), 86_400) });
const grantBody = v.strictObject({
  right: v.optional(v.picklist(grantRights), "write"),
  /** Only for this user; without it for whoever holds the grant. */
  user: v.optional(ulid),
  grantSec: v.optional(integer(60, maxLifeSec), 86_400),
});

const answer = ({ grant, expiresAt }: { grant: string; expiresAt: number }) => ({
  grant,
  expiresAt: new Date(expiresAt).toISOString(),
});

export const room = http({
  "POST /rooms": async (app, request) => {
    const session = await authenticate(app, request.authorization);
    const { grantSec } = check(roomBody, request.json());
    const made = await makeRoom(app, session, grantSec * 1_000);
    request.notes.room = made.room;
    return created({ room: { id: made.room, stream: `room:${made.room}` }, ...answer(made) });
  },
  "POST /rooms/{room}/grants": async (app, request) => {
    const session = await authenticate(app, request.authorization);
    const { right, user, grantSec } = check(grantBody, request.json());
    return created(
      answer(await grantRoom(app, session, request.param("room", ulid), { right, user, lifeMs: grantSec * 1_000 })),
    );
  },
  "DELETE /rooms/{room}/grants": async (app, request) => {
    const session = await authenticate(app, request.authorization);
    await withdrawGrants(app, session, request.param("room", ulid));
    return noContent;
  },
});

export const handler = handlerOf(room);

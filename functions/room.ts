/** Creates rooms, grants or withdraws access to them, reads their past and their members, and publishes for other back ends. */
import * as v from "valibot";
import { created, type HttpRequest, http, noContent, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { ApiKeyInvalid } from "../shared/errors.ts";
import { grant as grantHeader, messageId } from "../shared/frame.ts";
import { availableHeaders } from "../shared/rate_limit.ts";
import { authenticateKey } from "../shared/sessions/api_key.ts";
import * as shape from "../shared/shape.ts";
import { authorize, grantRights } from "../shared/streams/authority.ts";
import { readMembers } from "../shared/streams/members.ts";
import { createRoom, grantRoom, publishByKey, readHistory, withdrawGrants } from "../shared/streams/room.ts";
import { signedIn } from "./_signed_in.ts";

const maxLifeSec = 30 * 86_400;
const roomBody = v.strictObject({ grantSec: v.optional(shape.integer(60, maxLifeSec), 86_400) });
const grantBody = v.strictObject({
  right: v.optional(v.picklist(grantRights), "write"),
  /** Only for this user; without it for every holder of the grant. */
  user: v.optional(shape.ulid),
  grantSec: v.optional(shape.integer(60, maxLifeSec), 86_400),
});

/** Messages of one page of history. */
const page = 50;
const maxPage = 100;

const messageBody = v.strictObject({ id: messageId, data: v.unknown() });

const answer = ({ grant, expiresAt }: { grant: string; expiresAt: number }) => ({
  grant,
  expiresAt: new Date(expiresAt).toISOString(),
});

/** The room in the path, which the caller may read by the grant in its header. */
async function readable(app: App, request: HttpRequest): Promise<string> {
  const session = await signedIn(app, request);
  const room = request.param("room", shape.ulid);
  request.notes.room = room;
  const grant = shape.parse(grantHeader, request.header("x-grant"), "X-Grant");
  await authorize(app, { session, stream: `room:${room}`, right: "read", grant, now: app.clock.now() });
  return room;
}

export const handler = http({
  "POST /rooms": async (app, request) => {
    const session = await signedIn(app, request);
    const { grantSec } = shape.parse(roomBody, request.json());
    const made = await createRoom(app, session, grantSec * 1_000, request.address);
    request.notes.room = made.room;
    const body = { room: { id: made.room, stream: `room:${made.room}` }, ...answer(made) };
    return { ...created(body), headers: availableHeaders(made.available) };
  },
  "POST /rooms/{room}/messages": async (app, request) => {
    const key = await authenticateKey(app, request.authorization, "publish");
    if (key.shop !== null) throw new ApiKeyInvalid("rooms belong to no shop; this key is bound to one");
    request.notes.by = key.id;
    const room = request.param("room", shape.ulid);
    const { id, data } = shape.parse(messageBody, request.json());
    return ok({ message: { ...(await publishByKey(app, key.id, { room, id, data })), id } });
  },
  "GET /rooms/{room}/messages": async (app, request) => {
    const room = await readable(app, request);
    const before = request.query("before", shape.digits(1, Number.MAX_SAFE_INTEGER));
    const limit = request.query("limit", shape.digits(1, maxPage)) ?? page;
    return ok(await readHistory(app, room, { before, limit }));
  },
  "GET /rooms/{room}/members": async (app, request) => ok(await readMembers(app, await readable(app, request))),
  "POST /rooms/{room}/grants": async (app, request) => {
    const session = await signedIn(app, request);
    const { right, user, grantSec } = shape.parse(grantBody, request.json());
    return created(
      answer(
        await grantRoom(app, session, request.param("room", shape.ulid), { right, user, lifeMs: grantSec * 1_000 }),
      ),
    );
  },
  "DELETE /rooms/{room}/grants": async (app, request) => {
    const session = await signedIn(app, request);
    await withdrawGrants(app, session, request.param("room", shape.ulid));
    return noContent;
  },
});

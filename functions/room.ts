/** Creates rooms, grants or withdraws access to them, and publishes for other back ends. */
import * as v from "valibot";
import { created, http, noContent, ok } from "../apigateway/entry.ts";
import { ApiKeyInvalid } from "../shared/errors.ts";
import { messageId } from "../shared/frame.ts";
import { authenticateKey } from "../shared/sessions/api_key.ts";
import * as shape from "../shared/shape.ts";
import { grantRights } from "../shared/streams/authority.ts";
import { createRoom, grantRoom, publishByKey, withdrawGrants } from "../shared/streams/room.ts";
import { signedIn } from "./_signed_in.ts";

const maxLifeSec = 30 * 86_400;
const roomBody = v.strictObject({ grantSec: v.optional(shape.integer(60, maxLifeSec), 86_400) });
const grantBody = v.strictObject({
  right: v.optional(v.picklist(grantRights), "write"),
  /** Only for this user; without it for every holder of the grant. */
  user: v.optional(shape.ulid),
  grantSec: v.optional(shape.integer(60, maxLifeSec), 86_400),
});

const messageBody = v.strictObject({ id: messageId, data: v.unknown() });

const answer = ({ grant, expiresAt }: { grant: string; expiresAt: number }) => ({
  grant,
  expiresAt: new Date(expiresAt).toISOString(),
});

export const handler = http({
  "POST /rooms": async (app, request) => {
    const session = await signedIn(app, request);
    const { grantSec } = shape.parse(roomBody, request.json());
    const made = await createRoom(app, session, grantSec * 1_000, request.address);
    request.notes.room = made.room;
    return created({ room: { id: made.room, stream: `room:${made.room}` }, ...answer(made) });
  },
  "POST /rooms/{room}/messages": async (app, request) => {
    const key = await authenticateKey(app, request.authorization, "publish");
    // Rooms belong to no shop.
    if (key.shop !== null) throw new ApiKeyInvalid();
    request.notes.by = key.id;
    const room = request.param("room", shape.ulid);
    const { id, data } = shape.parse(messageBody, request.json());
    return ok({ message: { ...(await publishByKey(app, key.id, { room, id, data })), id } });
  },
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

/** A place for a dish's picture. */
import { created, http } from "../apigateway/entry.ts";
import { picture, pictureTypes } from "../shared/files.ts";
import { authenticate, staffOf } from "../shared/session.ts";
import { check, id } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

export const pictures = http({
  "POST /shops/{shop}/pictures": async (app, request) => {
    const shop = request.param("shop", id);
    const session = await authenticate(app, request.authorization);
    Object.assign(request.notes, { session: session.id, shop });
    staffOf(session, shop, ["owner"]);
    const { type, bytes } = check(picture, request.json());
    // Its name says nothing, and cannot be taken a second time: what was seen under it stays true for ever.
    const path = `${shop}/${app.random.secret(16)}.${pictureTypes[type]}`;
    return created({ upload: await app.files.upload(path, type, bytes), picture: app.files.urlOf(path) });
  },
});

export const handler = handlerOf(pictures);

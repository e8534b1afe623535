/** Signs the upload of a dish's picture. */
import { created, http } from "../apigateway/entry.ts";
import { picture, pictureTypes } from "../shared/files.ts";
import { staffOf } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { signedIn } from "./_signed_in.ts";

export const handler = http({
  "POST /shops/{shop}/pictures": async (app, request) => {
    const shop = request.param("shop", shape.id);
    request.notes.shop = shop;
    staffOf(await signedIn(app, request, "menu:write"), shop, ["owner"]);
    const { type, bytes } = shape.parse(picture, request.json());
    // The name is random and never used again, so that its content can be cached for ever.
    const path = `${shop}/${app.random.secret(16)}.${pictureTypes[type]}`;
    return created({ upload: await app.files.upload(path, type, bytes), picture: app.files.urlOf(path) });
  },
});

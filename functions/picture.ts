/** Makes a place for a dish's picture: a file of the purpose `dish`, in the words of a menu. */
import * as v from "valibot";
import { created, http } from "../apigateway/entry.ts";
import { fileView } from "../shared/files/file.ts";
import { kindOf } from "../shared/files/kinds.ts";
import { makePlace } from "../shared/files/place.ts";
import { staffOf } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { signedIn } from "./_signed_in.ts";

const maxPictureBytes = 2 * 1_024 * 1_024;
const picture = v.strictObject({
  type: v.picklist(["image/jpeg", "image/png", "image/webp"]),
  bytes: shape.integer(1, maxPictureBytes),
});

export const handler = http({
  "POST /shops/{shop}/pictures": async (app, request) => {
    const shop = request.param("shop", shape.id);
    request.notes.shop = shop;
    const session = staffOf(await signedIn(app, request, "menu:write"), shop, ["owner"]);
    const { type, bytes } = shape.parse(picture, request.json());
    const name = `picture.${kindOf(type)?.word}`;
    const asked = { purpose: "dish", name, type, bytes, by: "put", shop } as const;
    const { file, upload } = await makePlace(app, session, asked, request.address);
    request.notes.file = file.id;
    return created({ upload, picture: fileView(file).path });
  },
});

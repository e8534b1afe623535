/** Sends a notification to a customer or a kitchen. */
import { http } from "../apigateway/entry.ts";
import { Forbidden } from "../shared/errors.ts";
import { actsForShop } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { notice, notify } from "../shared/streams/notify.ts";
import { signedIn } from "./_signed_in.ts";

export const handler = http({
  "POST /notify": async (app, request) => {
    const by = await signedIn(app, request, "notify");
    if (!actsForShop(by)) throw new Forbidden("notifying is for staff and for keys with the scope");
    const asked = shape.parse(notice, request.json());
    if (by.shop !== null && asked.shop !== undefined && asked.shop !== by.shop)
      throw new Forbidden("this is another shop's");
    request.notes.by = by.id;
    const { notification, repeated } = await notify(app, by, asked, request.idempotencyKey);
    return { status: repeated ? 200 : 201, body: { notification } };
  },
});

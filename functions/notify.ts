/** A customer or a kitchen is told something. */
import { http } from "../apigateway/entry.ts";
import { isApiKey, keyOf } from "../shared/api_key.ts";
import { Forbidden } from "../shared/errors.ts";
import { notice, notify } from "../shared/notify.ts";
import { authenticate } from "../shared/session.ts";
import { check } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

export const tell = http({
  "POST /notify": async (app, request) => {
    const by = isApiKey(request.authorization)
      ? await keyOf(app, request.authorization, "notify")
      : await authenticate(app, request.authorization);
    if ("kind" in by && by.kind !== "staff") throw new Forbidden("notifying is for staff and for keys with the scope");
    const asked = check(notice, request.json());
    if (by.shop !== null && asked.shop !== undefined && asked.shop !== by.shop)
      throw new Forbidden("this is another shop's");
    request.notes.by = by.id;
    const { notification, repeated } = await notify(app, by, asked, request.idempotencyKey);
    return { status: repeated ? 200 : 201, body: { notification } };
  },
});

export const handler = handlerOf(tell);

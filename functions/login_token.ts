/** Begins a session of a shop's own user, by a token of the shop's own system. */
import * as v from "valibot";
import { http } from "../apigateway/entry.ts";
import * as shape from "../shared/shape.ts";
import { begun } from "./_begun.ts";

const body = v.strictObject({ token: v.string() });

export const handler = http({
  "POST /login/token": async (app, request) => {
    const { token } = shape.parse(body, request.json());
    // Only here: most servers never see such a token, and need not load what verifies it.
    const { loginWithToken } = await import("../shared/sessions/own_user.ts");
    return begun(request, loginWithToken(app, token, request.address));
  },
});

/** Sign-in in the action dialect, as clients of 1.x do it; and the socket's address, for which every release asks here. */
import * as v from "valibot";
import { end } from "../sessions/login.ts";
import { authenticate } from "../sessions/session.ts";
import * as shape from "../shape.ts";
import type { Acts } from "./asked.ts";
import { exchangeIfAlive, signInAnonymously, userInfo } from "./sign_in.ts";
import { socketAddress } from "./socket_address.ts";

const token = v.nullish(v.pipe(v.string(), v.maxLength(8_000, "a token")));
const refresh = v.object({ refresh_token: token });

export const authActions: Acts = {
  "auth.wsWebSign": async (app, { body, authorization, socketUrl }) => {
    const { env } = shape.parse(v.object({ env: v.nullish(v.pipe(v.string(), v.maxLength(64, "a name")), "") }), body);
    return { data: await socketAddress(app, authorization, socketUrl, env ?? "") };
  },
  /** With a token that is still good it is the same user, so that an answer that was lost makes no second one. */
  "auth.signInAnonymously": async (app, { body, address }) => {
    const { refresh_token: known } = shape.parse(refresh, body);
    const session = await exchangeIfAlive(app, known);
    if (session !== undefined) return { uuid: session.user, refresh_token: known };
    const made = await signInAnonymously(app, address);
    return { uuid: made.session.user, refresh_token: made.token };
  },
  "auth.fetchAccessTokenWithRefreshToken": async (app, { body }) => {
    const { refresh_token: known } = shape.parse(refresh, body);
    const session = await exchangeIfAlive(app, known);
    // A guest's client begins anew after this code; others say that the login has expired.
    if (session === undefined) return { code: "INVALID_REFRESH_TOKEN", message: "the session is over; sign in again" };
    return { access_token: known, access_token_expire: session.expiresAt - app.clock.now() };
  },
  "auth.getUserInfo": async (app, { authorization }) => {
    return { data: await userInfo(app, await authenticate(app, authorization)) };
  },
  "auth.logout": async (app, { body }) => {
    const { refresh_token: known } = shape.parse(refresh, body);
    const session = await exchangeIfAlive(app, known);
    if (session !== undefined) await end(app, session.id, "signed_out");
    return {};
  },
};

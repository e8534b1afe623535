/** Wafer's session server, for business servers, and its login for mini-programs without one. */
import * as v from "valibot";
import { type HttpRequest, http, ok, type Route } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { checkDirectly, loginDirectly } from "../shared/wafer/direct_login.ts";
import { askSessionServer, authorizeBackEnd, warnIfOpen } from "../shared/wafer/session_server.ts";

/** Which of several mini-programs, in the address that an SDK is given: `…/mina_auth/?appid=wx0123456789abcdef`. */
const appidOf = (request: HttpRequest) => request.query("appid", v.string());

const sessionServer: Route = async (app, request) => {
  const key = await authorizeBackEnd(app, request.header("authorization"), request.address);
  if (key !== undefined) request.notes.key = key;
  return ok(await askSessionServer(app, () => request.text(), appidOf(request), request.notes));
};

const login: Route = async (app, request) => {
  const { address, notes } = request;
  return ok(await loginDirectly(app, request.event.headers, { appid: appidOf(request), address, notes }));
};

const user: Route = async (app, request) => ok(await checkDirectly(app, request.event.headers, request.notes));

const serve = http({
  "POST /mina_auth": sessionServer,
  "POST /mina_auth/": sessionServer,
  "GET /weapp/login": login,
  "POST /weapp/login": login,
  "GET /weapp/user": user,
  "POST /weapp/user": user,
});

export const handler = (app: App) => {
  warnIfOpen(app);
  return serve(app);
};

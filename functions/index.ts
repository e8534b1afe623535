/** Every function by its name in serverless.yml; a test compares the two. */
import type { App } from "../shared/app.ts";
import type { Signal } from "../shared/signal.ts";
import { handler as admin } from "./admin.ts";
import { handler as ask_outside } from "./ask_outside.ts";
import { handler as ask_wechat } from "./ask_wechat.ts";
import { handler as bill } from "./bill.ts";
import { handler as call_back } from "./call_back.ts";
import { handler as collections } from "./collections.ts";
import { handler as collections_auth } from "./collections_auth.ts";
import { handler as events } from "./events.ts";
import { handler as examples_session } from "./examples_session.ts";
import { handler as fan_out } from "./fan_out.ts";
import { handler as files } from "./files.ts";
import { handler as game } from "./game.ts";
import { handler as get_shop_info } from "./get_shop_info.ts";
import { handler as init_db } from "./init_db.ts";
import { handler as introspect } from "./introspect.ts";
import { handler as login } from "./login.ts";
import { handler as login_token } from "./login_token.ts";
import { handler as not_found } from "./not_found.ts";
import { handler as notify } from "./notify.ts";
import { handler as order } from "./order.ts";
import { handler as pages } from "./pages.ts";
import { handler as picture } from "./picture.ts";
import { handler as room } from "./room.ts";
import { handler as session } from "./session.ts";
import { handler as shop } from "./shop.ts";
import { handler as storages } from "./storages.ts";
import { handler as sweep } from "./sweep.ts";
import { handler as wafer_channel } from "./wafer_channel.ts";
import { handler as wafer_session } from "./wafer_session.ts";
import { handler as ws_register } from "./ws_register.ts";
import { handler as ws_transmit } from "./ws_transmit.ts";
import { handler as ws_unregister } from "./ws_unregister.ts";

export const functions = {
  login,
  login_token,
  session,
  examples_session,
  introspect,
  get_shop_info,
  bill,
  order,
  shop,
  picture,
  files,
  pages,
  notify,
  room,
  game,
  events,
  collections,
  collections_auth,
  storages,
  wafer_session,
  wafer_channel,
  not_found,
  ws_register,
  ws_transmit,
  ws_unregister,
  fan_out,
  call_back,
  sweep,
  init_db,
  admin,
  ask_wechat,
  ask_outside,
};

/** Calls a function of this process by its name, as a gateway does. */
export function caller(app: App): (name: string, event: unknown, signal?: Signal) => Promise<unknown> {
  type Call = (event: unknown, signal?: Signal) => Promise<unknown>;
  const bound = new Map(Object.entries(functions).map(([name, handler]) => [name, handler(app) as Call]));
  return async (name, event, signal) => {
    const call = bound.get(name);
    if (call === undefined) throw new TypeError(`there is no function "${name}"`);
    return call(event, signal);
  };
}

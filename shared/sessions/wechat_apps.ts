/** Mini-programs: their ids and secrets, stored sealed. */

import type { Statement } from "../../db/sql.ts";
import { insertApp } from "../../db/wechat.ts";
import type { App } from "../app.ts";

/** Adds a mini-program, or gives it a new secret. @param audit written with it */
export async function addWechatApp(
  app: App,
  asked: { appid: string; secret: string; name: string },
  audit: readonly Statement[] = [],
): Promise<{ id: string }> {
  const id = app.secrets.hashAppId(asked.appid);
  const row = {
    id,
    name: asked.name,
    appidSealed: app.secrets.seal(asked.appid, `appid ${id}`),
    secretSealed: app.secrets.seal(asked.secret, `secret ${id}`),
    at: app.clock.now(),
  };
  await app.db.flight({ statements: [...insertApp(app.db.dialect, row), ...audit], repeatable: true });
  return { id };
}

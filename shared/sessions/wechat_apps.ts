/** Mini-programs: their ids and secrets, stored sealed. */
import { insertApp } from "../../db/wechat.ts";
import type { App } from "../app.ts";

/** Adds a mini-program, or gives it a new secret. */
export async function addWechatApp(
  app: App,
  asked: { appid: string; secret: string; name: string },
): Promise<{ id: string }> {
  const id = app.secrets.hashAppId(asked.appid);
  const row = {
    id,
    name: asked.name,
    appidSealed: app.secrets.seal(asked.appid, `appid ${id}`),
    secretSealed: app.secrets.seal(asked.secret, `secret ${id}`),
    at: app.clock.now(),
  };
  await app.db.flight({ statements: insertApp(app.db.dialect, row), repeatable: true });
  return { id };
}

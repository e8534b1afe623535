/** A house for Wafer's SDKs: a stand-in for WeChat behind it, a back end's key, and envelopes as SDKs write them. */
import axios from "axios";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat, type Wechat } from "../../shared/wechat.ts";
import type { Engine } from "../_engines.ts";
import { type Answer, type House, type HouseOptions, openHouse, TestClock } from "../_house.ts";

export const magicId = "F2C224D4-2BCE-4C64-AF9F-A6D872000D1A";
export const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
export const otherApp = { appid: "wx5555666677778888", secret: "decaf-secret-of-two", name: "two" };

/** What WeChat encrypts of a user. */
export const profile = {
  nickName: "王小明",
  gender: 1,
  language: "zh_CN",
  city: "广州",
  province: "广东",
  country: "中国",
  avatarUrl: "https://thirdwx.qlogo.cn/mmopen/example/132",
};

export interface SessionHouse {
  readonly house: House;
  readonly standIn: StandIn;
  /** Instead of what is asked of WeChat next. */
  wechat: Wechat | undefined;
  /** A key with the scope `sessions`. */
  readonly key: string;
  /** A code and the data that go with it. */
  newLogin(openid?: string, data?: object): { code: string; encryptedData: string; iv: string };
  /** Asks the session server with the key. */
  ask(interfaceName: string, para: unknown, address?: string): Promise<Answer>;
  close(): Promise<void>;
}

export async function openSessionHouse(
  engine: Engine,
  options: HouseOptions = {},
  apps: readonly (typeof app)[] = [app],
): Promise<SessionHouse> {
  const clock = new TestClock();
  const standIn = await startWechat({ apps: [app, { ...otherApp, bound: true }], now: clock.now });
  const real = makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 }));
  const wechat: Wechat = { codeToSession: (...given) => (opened.wechat ?? real).codeToSession(...given) };
  const house = await openHouse(engine, { ...options, clock, wechat });
  for (const one of apps) await addWechatApp(house.app, one);
  const { key } = await newApiKey(house.app, "business server", ["sessions"], null);
  const opened: SessionHouse = {
    house,
    standIn,
    wechat: undefined,
    key,
    newLogin(openid, data = profile) {
      const code = standIn.newCode(openid);
      return { code, ...standIn.encrypt(code, data) };
    },
    ask: (interfaceName, para, address = "/mina_auth/") =>
      house.http("POST", address, { token: key, raw: JSON.stringify(envelope(interfaceName, para)) }),
    async close() {
      await house.close();
      await standIn.close();
    },
  };
  return opened;
}

/** As the SDK for Node puts it together. */
export const envelope = (interfaceName: string, para: unknown) => ({
  version: 1,
  componentName: "MA",
  interface: { interfaceName, para },
});

export const ulid = expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/);
export const token = expect.stringMatching(/^obw_[0-9A-Z]{52}[A-Za-z0-9_-]{32}$/);

/** What every back end is told of the user. */
export const userInfo = (openId: string, appid = app.appid) => ({
  openId,
  ...profile,
  watermark: { timestamp: expect.any(Number), appid },
});

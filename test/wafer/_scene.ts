/** A house as Wafer's two services, a stand-in for WeChat, phones, and business servers that know these by their settings alone. */
import axios from "axios";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { addChannel } from "../../shared/wafer/channels.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine, type Engine, engines, type TestDatabase } from "../_engines.ts";
import { type House, type HouseOptions, openHouse, TestClock } from "../_house.ts";
import { type Business, type ServerSdk, type Settings, startBusiness } from "./_business.ts";
import { type ClientSdk, Phone } from "./_phone.ts";

export interface Scene {
  readonly house: House;
  readonly wechat: StandIn;
  /** With the key as the password: Wafer 1 knows no other place for it. */
  readonly sessionServerUrl: string;
  /** A phone that has not signed in. @param openid without it somebody new */
  phone(sdk: ClientSdk, options?: { readonly openid?: string; readonly nickName?: string }): Phone;
  /** One whose channel is pinned. */
  business(sdk: ServerSdk, options?: BusinessOptions): Promise<Business>;
  pin(channel: { readonly host: string; readonly receiveUrl?: string }): Promise<unknown>;
  close(): Promise<void>;
}

export interface BusinessOptions {
  readonly port?: number;
  readonly answersLast?: boolean;
}

const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
export const tunnelKey = "27fb7d1c161b7ca52d73cce0f1d833f9f5b5ec89";

/** wafer-node-sdk does not start without these; none of them is used. */
const unusedCloud = {
  cos: { region: "none", fileBucket: "none", uploadFolder: "" },
  qcloudAppId: "1",
  qcloudSecretId: "none",
  qcloudSecretKey: "none",
  wxMessageToken: "none",
};

/** As tencentyun/wafer2-startup creates it. */
const sessionTable = `CREATE TABLE cSessionInfo (
  open_id varchar(100) NOT NULL PRIMARY KEY,
  uuid varchar(100) NOT NULL,
  skey varchar(100) NOT NULL,
  create_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_visit_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  session_key varchar(100) NOT NULL,
  user_info varchar(2048) NOT NULL,
  KEY (skey)
) CHARACTER SET utf8mb4`;

export async function openScene(engine: Engine = anyEngine, options: HouseOptions = {}): Promise<Scene> {
  const clock = new TestClock();
  const wechat = await startWechat({ apps: [app], now: clock.now });
  const house = await openHouse(engine, {
    ...options,
    clock,
    wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })),
    environment: { CALLBACK_NETWORKS: "127.0.0.0/8", ...options.environment },
  });
  await addWechatApp(house.app, app);
  const { key } = await newApiKey(house.app, "business", ["sessions"], null);
  const sessionServerUrl = `${house.url.replace("//", `//x:${key}@`)}/mina_auth/`;
  const [phones, businesses]: [Phone[], Business[]] = [[], []];
  let mysql: TestDatabase | undefined;
  let strangers = 0;

  async function mysqlSettings() {
    if (mysql === undefined) {
      mysql = await (engines.find(({ name }) => name === "mysql") as Engine).open({ tables: false });
      await mysql.alone((run) => run(sessionTable));
    }
    const { hostname: host, port, username: user, password: pass, pathname } = new URL(mysql.url);
    // Without `char` the driver takes no emoji.
    return { host, port: Number(port || 3_306), user, pass, db: pathname.slice(1), char: "utf8mb4" };
  }

  const pin: Scene["pin"] = (channel) => addChannel(house.app, { ...channel, key: tunnelKey, keepBodies: false });

  const settingsOf: Record<ServerSdk, (port: number) => Promise<Settings["sdk"]>> = {
    "qcloud-weapp-server-sdk": async (port) => ({
      ServerHost: `127.0.0.1:${port}`,
      AuthServerUrl: sessionServerUrl,
      TunnelServerUrl: house.url,
      TunnelSignatureKey: tunnelKey,
    }),
    "wafer-node-sdk": async (port) => ({
      ...unusedCloud,
      appId: app.appid,
      appSecret: app.secret,
      useQcloudLogin: false,
      mysql: await mysqlSettings(),
      rootPathname: "",
      // Of these two only the host is in its channel's id.
      serverHost: "127.0.0.1",
      serverPort: String(port),
      tunnelServerUrl: house.url,
      tunnelSignatureKey: tunnelKey,
    }),
  };

  return {
    house,
    wechat,
    sessionServerUrl,
    phone(sdk, { openid = `o-stranger-${strangers++}`, nickName = "阿三" } = {}) {
      const phone = new Phone(sdk, { wechat, openid, nickName });
      phones.push(phone);
      return phone;
    },
    async business(sdk, { port = 0, answersLast = false } = {}) {
      const settings = async (at: number) => {
        const [host, receiveUrl] = ["127.0.0.1", `http://127.0.0.1:${at}`];
        await pin(sdk === "wafer-node-sdk" ? { host, receiveUrl } : { host: `${host}:${at}` });
        return { sdk: await settingsOf[sdk](at), wechatUrl: wechat.url, answersLast };
      };
      const business = await startBusiness(sdk, settings, port);
      businesses.push(business);
      return business;
    },
    pin,
    async close() {
      for (const phone of phones) phone.close();
      for (const business of businesses) await business.stop();
      await house.close();
      await mysql?.remove();
      await wechat.close();
    },
  };
}

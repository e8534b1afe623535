/** The SDK in a mini-program: `wx.login` with the stand-in for WeChat, and WeChat's limits, against a whole server. */
import axios from "axios";
import type { Client, OrderView } from "../../clients/index.ts";
import { createClient, wechatPlatform } from "../../clients/wechat.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine } from "../_engines.ts";
import { type House, oneBowl, openHouse, TestClock } from "../_house.ts";
import { until } from "../_until.ts";
import { type FakeWx, fakeWx } from "./_wx.ts";

const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };

let standIn: StandIn;
let house: House;
let wx: FakeWx;
let client: Client;

beforeAll(async () => {
  const clock = new TestClock();
  standIn = await startWechat({ apps: [app], now: clock.now });
  const wechat = makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 }));
  house = await openHouse(anyEngine, { clock, wechat });
  await addWechatApp(house.app, app);
});
afterAll(async () => {
  await house.close();
  await standIn.close();
});

let people = 0;
function begin(options: { delayMs?: number } = {}): void {
  const openid = `o-person-${++people}`;
  wx = fakeWx({ newCode: () => standIn.newCode(openid), ...options });
  Object.assign(globalThis, { wx });
  client = createClient({ url: house.url });
}
afterEach(() => {
  client.close();
  expect(wx.faults).toEqual([]);
});

const bowl = () => ({ shop: house.shop, ...oneBowl, service: "pickup" as const });

describe("a mini-program", () => {
  it("signs in with wx.login, and is the same customer the next time", async () => {
    begin();
    const { user, kind } = await client.signIn();
    expect(kind).toBe("wechat");
    await client.signOut();
    expect((await client.signIn()).user.id).toBe(user.id);
    expect(wx.logins).toBe(2);
  });

  it("takes a new code when the one before was used up and its answer lost", async () => {
    begin();
    const { request } = wx;
    let losses = 1;
    wx.request = (options) => {
      if (!options.url.endsWith("/login") || losses-- <= 0) return request(options);
      return request({ ...options, success: () => options.fail({ errMsg: "request:fail" }) });
    };
    const order = await client.submit(bowl());
    expect(order.status).toBe("placed");
    expect(wx.logins).toBe(2);
  });

  it("has one client, with one socket for all that is watched", async () => {
    begin();
    expect(createClient({ url: house.url })).toBe(client);
    let mine: OrderView[] = [];
    client.watch("orders", {
      onChange: (orders) => {
        mine = orders;
      },
    });
    client.watch("menu", { shop: house.shop, onChange: () => {} });
    client.watch("board", { shop: house.shop, onChange: () => {} });
    const order = await client.submit(bowl());
    await until(() => mine[0]?.id === order.id && client.state() === "live", "live");
    expect(wx.sockets()).toBe(1);
    client.close();
    await until(() => wx.sockets() === 0, "no socket");
  });

  it("closes its socket when it is hidden, and goes on in front where it stood", async () => {
    begin();
    let mine: OrderView[] = [];
    let snapshots = 0;
    client.watch("orders", {
      onChange: (orders, { snapshot }) => {
        mine = orders;
        if (snapshot) snapshots += 1;
      },
    });
    const order = await client.submit(bowl());
    await until(() => mine.length === 1 && client.state() === "live", "live");
    wx.hide();
    await until(() => wx.sockets() === 0, "no socket in the background");
    expect(client.state()).not.toBe("live");
    // The network's coming and going does not wake what sleeps.
    wx.network(true);
    await (await house.staff()).http("POST", `/orders/${order.id}/accept`, { body: { version: 1 } });
    expect(wx.sockets()).toBe(0);
    wx.show();
    await until(() => mine[0]?.status === "accepted" && client.state() === "live", "accepted");
    expect(snapshots).toBe(1);
  });

  it("runs at most ten requests at once", async () => {
    begin({ delayMs: 20 });
    await client.signIn();
    await Promise.all(Array.from({ length: 30 }, () => client.orders()));
    expect(wx.mostRequests()).toBe(8);
  });

  it("keeps an unanswered bill in the phone's storage over a restart", async () => {
    begin();
    await client.signIn();
    const { request } = wx;
    let sent = 0;
    wx.request = (options) => {
      if (!options.url.endsWith("/bill")) return request(options);
      sent += 1;
      return request({ ...options, success: () => options.fail({ errMsg: "request:fail" }) });
    };
    const submitted = client.submit(bowl());
    await until(() => sent > 0, "sent");
    client.close();
    await expect(submitted).rejects.toMatchObject({ code: "CLOSED" });
    wx.request = request;
    client = createClient({ url: house.url });
    const answers: unknown[] = [];
    client.onPending((_, answer) => answers.push(answer));
    await until(() => answers.length > 0, "the answer");
    expect((await client.orders()).orders).toEqual(answers);
  });

  it("reads header names in lower case, and tells an error from no answer", async () => {
    begin();
    const platform = wechatPlatform(wx);
    const answer = await platform.request({
      method: "GET",
      url: `${house.url}/orders`,
      headers: {},
      timeoutMs: 10_000,
    });
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    const nobody = platform.request({ method: "GET", url: "http://127.0.0.1:9/", headers: {}, timeoutMs: 10_000 });
    await expect(nobody).rejects.toThrow("request:fail");
  });
});

describe("the stand-in for wx", () => {
  it("kills what lives on in the background, and wakes in front", async () => {
    begin();
    const stub = fakeWx({ newCode: () => "c", suspendMs: 10 });
    const { ticket } = await client.ask<{ ticket: string }>({ method: "POST", path: "/session/ticket" });
    const url = `${house.url.replace("http", "ws")}/pgws`;
    const protocols = ["orderbell.v1", `ticket.${ticket}`];
    let opened = false;
    const task = stub.connectSocket({ url, protocols, timeout: 1_000, fail() {} });
    task.onOpen(() => {
      opened = true;
    });
    await until(() => opened, "open");
    stub.hide();
    await until(() => stub.sockets() === 0, "dead");
    expect(stub.faults).toEqual(["a socket was open in the background"]);
    const fails: string[] = [];
    const ask = () =>
      new Promise<void>((resolve) =>
        stub.request({
          url: `${house.url}/get_shop_info`,
          method: "GET",
          header: {},
          dataType: "text",
          timeout: 15_000,
          success: () => resolve(),
          fail({ errMsg }) {
            fails.push(errMsg);
            resolve();
          },
        }),
      );
    await ask();
    stub.show();
    await ask();
    expect(fails).toEqual(["request:fail interrupted"]);
  });

  it("refuses a sixth socket and an eleventh request", async () => {
    begin();
    const stub = fakeWx({ newCode: () => "c", delayMs: 50 });
    const fails: string[] = [];
    const fail = ({ errMsg }: { errMsg: string }) => void fails.push(errMsg);
    for (let k = 0; k < 6; k++)
      stub
        .connectSocket({ url: `${house.url.replace("http", "ws")}/pgws`, protocols: [], timeout: 1_000, fail })
        .onError(() => {});
    for (let k = 0; k < 11; k++)
      stub.request({
        url: `${house.url}/get_shop_info`,
        method: "GET",
        header: {},
        dataType: "text",
        timeout: 5_000,
        success() {},
        fail,
      });
    stub.request({
      url: house.url,
      method: "PATCH" as "PUT",
      header: {},
      dataType: "text",
      timeout: 5_000,
      success() {},
      fail,
    });
    await until(
      () => fails.length === 3,
      "refused",
      () => fails,
    );
    expect(stub.faults).toEqual([
      "connectSocket:fail exceed max concurrent count",
      "request:fail exceed max concurrent count",
      "request:fail invalid method PATCH",
    ]);
  });
});

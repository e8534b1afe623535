/** The session service alone: it begins and checks sessions beside a house that has shops, and leaves the rest to it. */

import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import { readRoutes, routesOf } from "../../apigateway/local/routes.ts";
import { onEveryEngine, openAgain, servers } from "../_engines.ts";
import { type House, openHouse, TestClock } from "../_house.ts";
import { openSessionHouse, profile, type SessionHouse } from "./_session_house.ts";

it("has what its functions need in serverless.yml", () => {
  const { functions, websocket, hasSocket, schedules, http } = routesOf(
    readRoutes(readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8")),
    "session",
  );
  expect([...functions.keys()].toSorted()).toEqual(
    [
      "admin",
      "ask_wechat",
      "init_db",
      "introspect",
      "login",
      "login_token",
      "not_found",
      "session",
      "sweep",
      "wafer_session",
    ].toSorted(),
  );
  expect([websocket.size, hasSocket]).toEqual([0, false]);
  expect(schedules).toEqual([{ function: "sweep", everyMs: 3_600_000, input: { trim: true, orders: false } }]);
  expect(http.map(({ routeKey }) => routeKey)).toContain("POST /mina_auth/");
});

onEveryEngine((engine) => {
  let place: SessionHouse;
  let shop: House;
  beforeAll(async () => {
    const clock = new TestClock();
    const db = await engine.open();
    shop = await openHouse(engine, { db, clock });
    place = await openSessionHouse(engine, { db: await openAgain(engine, db), only: "session" });
  });
  afterAll(async () => {
    await place.close();
    await place.house.db.close();
    await shop.close();
    await shop.db.remove();
  });

  it("begins sessions that hold in the shop, and knows the shop's", async () => {
    const { house, ask, newLogin } = place;
    const { code, encryptedData, iv } = newLogin("o-alone", profile);
    const para = { code, encrypt_data: encryptedData, iv };
    const { id, skey } = (await ask("qcloud.cam.id_skey", para)).body.returnData;
    expect((await shop.http("GET", "/session", { headers: { "x-wx-id": id, "x-wx-skey": skey } })).body.user.id).toBe(
      id,
    );
    const guest = await shop.guest();
    expect((await house.http("GET", "/session", { token: guest.token })).status).toBe(200);
    expect((await house.http("POST", "/login/guest")).status).toBe(201);
    await house.http("DELETE", "/session", { token: guest.token });
    expect((await guest.order()).body.code).toBe("SESSION_ENDED");
  });

  it("has no shop, no page and no socket", async () => {
    const { url } = place.house;
    const routes = [
      "POST /bill",
      "GET /get_shop_info",
      "GET /events",
      "POST /notify",
      "POST /rooms",
      "GET /",
      "GET /kitchen",
    ];
    for (const route of routes) {
      const [method = "", path = ""] = route.split(" ");
      const answer = await fetch(url + path, { method });
      expect([route, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        route,
        404,
        "ROUTE_UNKNOWN",
      ]);
    }
    const socket = new WebSocket(`${url.replace("http", "ws")}/pgws`, ["orderbell.v1"]);
    const status = await new Promise((resolve) => {
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode));
      socket.on("error", () => {});
    });
    expect(status).toBe(404);
  });

  it("removes old rows, and lets no order wait shorter", async () => {
    const answer = await place.house.call("sweep", { trim: true, orders: false });
    expect(answer).toEqual({ due: 0, heads: 0 });
  });
}, servers);

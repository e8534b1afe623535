/** Answers of openapi.yaml: each success and each code of each route is really given, on PGlite, so that it runs every statement of a route. */
import axios from "axios";
import { ConnectionLost } from "../../db/database.ts";
import { raw, sql } from "../../db/sql.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { codesIn } from "../../scripts/openapi_document.ts";
import { type Operation, problemType } from "../../scripts/read_api.ts";
import { getTicket } from "../../shared/cloudbase/object_ticket.ts";
import { FilesAway } from "../../shared/errors.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { eventTypes, type MenuState, type StreamEvent } from "../../shared/protocol.ts";
import { newApiKey, scopes } from "../../shared/sessions/api_key.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { editMenu } from "../../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../../shared/shop/open_shop.ts";
import { addChannel } from "../../shared/wafer/channels.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { readLaw, witnessed } from "../_contract.ts";
import { embedded, type TestDatabase } from "../_engines.ts";
import {
  type Answer,
  altered,
  type House,
  type HttpOptions,
  newKey,
  oneBowl,
  openHouse,
  type Person,
  TestClock,
  testMenu,
  testSettings,
} from "../_house.ts";
import { makeIssuer, tokenSettings } from "../_issuer.ts";
import { memoryStore } from "../_memory_store.ts";
import { contents } from "../functions/_contents.ts";

const { api } = readLaw();
const dayMs = 24 * 3_600_000;

/** The refusals of an operation, by status and code. */
/** An answer to HEAD has no body to say a code in. */
const refusalsOf = ({ method, responses }: Operation) =>
  Object.entries(method === "HEAD" ? {} : responses).flatMap(([status, { content }]) =>
    codesIn(content[problemType]?.schema ?? null).map((code) => ({ status, code })),
  );

/** What test/_contract.ts notes when the answer was given. */
function promisesOf(operation: Operation): string[] {
  const { key, responses } = operation;
  const good = Object.entries(responses).flatMap(([status, { content }]) => {
    if (Number(status) >= 400 && key !== "GET /healthz") return [];
    const types = Object.keys(content);
    return types.length === 0 ? [`${key} ${status}`] : types.map((type) => `${key} ${status} ${type}`);
  });
  return [...good, ...refusalsOf(operation).map(({ status, code }) => `${key} ${status} ${code}`)];
}

const operation = (key: string) => api.operations.find((one) => one.key === key) as Operation;
const form = { "content-type": "application/x-www-form-urlencoded" };
const app = { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" };
const wrongApp = { appid: "wx00000000000000ff", secret: "not-its-secret", name: "two" };
const nobody = "01M7Y5YCX0DV05B7NH4DVY729V";
const clock = new TestClock();
const issuer = makeIssuer("EdDSA", clock.now);
const takesTokens = tokenSettings(issuer.pem);

describe("every answer of openapi.yaml", () => {
  let wechat: StandIn;
  let house: House;
  let owner: Person;
  let cashier: Person;
  let kitchen: Person;
  /** Staff of a shop that is there no more. */
  let stranger: Person;
  let customer: Person;
  let other: Person;
  let ended: Person;
  let expired: Person;
  /** Of another back end, and of one that is bound to another shop. */
  let key: string;
  let foreignKey: string;
  /** What stands in the paths. */
  const at: Record<string, string> = { shop: "noodle-house", dish: "bun", line: "1", action: "accept", room: nobody };
  const events = new Set<string>();

  beforeAll(async () => {
    wechat = await startWechat({ apps: [app, { ...wrongApp, secret: "its-secret" }], now: clock.now });
    house = await openHouse(embedded, {
      clock,
      // Nothing is put there: only the place is made.
      pictures: "pictures",
      wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })),
      environment: { EXAMPLES: "on", GUEST_SESSIONS_PER_HOUR: "30", CALLBACK_NETWORKS: "127.0.0.0/8", ...takesTokens },
    });
    at.address = getTicket(house.app, { hash: house.app.secrets.hash("a.txt") });
    await addWechatApp(house.app, app);
    expired = await house.guest();
    clock.forward(8 * dayMs);
    const nowhere = { id: "nowhere", names: { en: "Nowhere" }, zone: "Asia/Shanghai", rolloverMinutes: 0 };
    await createShop(house.app, { ...nowhere, settings: testSettings() });
    [owner, cashier, kitchen, stranger] = await Promise.all([
      house.staff("owner"),
      house.staff("cashier"),
      house.staff("kitchen"),
      house.staff("owner", "nowhere"),
    ]);
    const tables = ["shops", "menus"].map(
      (table) => sql`DELETE FROM ${raw(table)} WHERE ${raw(table === "shops" ? "id" : "shop_id")} = ${"nowhere"}`,
    );
    const streams = ["shop", "menu", "board"].map((kind) => sql`DELETE FROM streams WHERE name = ${`${kind}:nowhere`}`);
    await house.db.flight({ statements: [...tables, ...streams] });
    [customer, other, ended] = await Promise.all([house.guest(), house.guest(), house.guest()]);
    ({ key } = await newApiKey(house.app, "all", scopes, null));
    ({ key: foreignKey } = await newApiKey(house.app, "foreign", ["introspect"], "snack-bar"));
    at.id = (await customer.order()).body.order.id;
    at.table = house.table;
    at.file = await newFile({ bytes: png.length });
  });
  afterAll(async () => {
    await house.close();
    await wechat.close();
  });

  const png = contents["image/png"];

  /** A customer's picture that was sent in parts, complete or not. @returns its id */
  async function newFile(more: object = {}, body: Uint8Array = png): Promise<string> {
    const asked = { purpose: "picture", name: "a.png", type: "image/png", bytes: body.length, by: "parts", ...more };
    const { id } = (await customer.http("POST", "/files", { body: asked })).body.file;
    const [part] = (await customer.http("POST", `/files/${id}/parts`, { body: { parts: [1] } })).body.uploads;
    await fetch(new URL(part.url, house.url), { method: "PUT", headers: part.headers, body: body as never });
    return id;
  }

  // --- How it is asked -----------------------------------------------------------------------------------------------

  interface Sent extends HttpOptions {
    readonly house?: House;
    readonly query?: string;
    /** Instead of what stands in the paths. */
    readonly path?: Readonly<Record<string, string>>;
  }

  /** A valid request with the given changes. */
  async function send(to: Operation, { house: where = house, query = queryOf(to), path = {}, ...more }: Sent = {}) {
    const there: Record<string, string | undefined> = isOfFiles(to) ? { ...at, id: at.file, name: "content" } : at;
    const url = to.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name] ?? there[name] ?? nobody));
    const token = "token" in more ? more.token : tokenOf(to);
    const headers = {
      ...(to.parameters.some(({ name }) => name === "Idempotency-Key") ? { "idempotency-key": newKey() } : {}),
      ...(to.key.endsWith("/stock") ? { "if-match": '"0.0"' } : {}),
      ...more.headers,
    };
    return where.http(to.method, url + query, {
      ...contentOf(to, more),
      ...more,
      headers: { ...contentType(to, more), ...headers },
      token,
    });
  }

  const isOfFiles = ({ path }: Operation) => path.startsWith("/files");
  const isForm = (to: Operation) => to.key === "POST /introspect";
  const contentType = (to: Operation, { headers }: HttpOptions): Record<string, string> =>
    isForm(to) && headers?.["content-type"] === undefined ? form : {};

  function contentOf(to: Operation, { body, raw }: HttpOptions): HttpOptions {
    if (raw !== undefined || Object.keys(to.body).length === 0) return {};
    if (isForm(to)) return { raw: `token=${customer.token}` };
    return { body: body ?? bodyOf(to) };
  }

  function bodyOf(to: Operation): unknown {
    if (to.key === "POST /bill") return { shop: at.shop, ...oneBowl };
    if (to.key === "POST /login/token") return { token: issuer.sign() };
    if (to.key === "POST /notify") return { shop: at.shop, title: "骑手到了" };
    return to.body["application/json"]?.examples[0]?.[1];
  }

  const queryOf = ({ key: name }: Operation) => (name === "GET /events" ? `?stream=user:${customer.user}` : "");

  function tokenOf({ key: name, path }: Operation): string | undefined {
    if (/^POST \/(introspect|mina_auth|.*\/messages$)/.test(name)) return key;
    if (/^\/(login|weapp\/login|get_shop_info|healthz)|\/board$/.test(path)) return undefined;
    const staff = /^\/(shops|orders)\//.test(path) || path === "/notify" || path === "/collections";
    return staff ? owner.token : customer.token;
  }

  const expectCode = (answer: Answer, status: number, code: string) =>
    expect([answer.status, answer.body?.code]).toEqual([status, code]);

  /** Reads a stream from its beginning until an event is enough. */
  async function follow(stream: string, enough: (event: StreamEvent) => boolean, options: HttpOptions = {}) {
    for (let from = "&after=0", done = false; !done; ) {
      const { body } = await house.http("GET", `/events?stream=${stream}${from}&wait=10`, options);
      if (body.events.length === 0) throw new Error(`${stream}: what was awaited did not come`);
      for (const event of body.events) {
        events.add(event.event);
        done ||= enough(event);
      }
      from = `&epoch=${body.epoch}&after=${body.seq}&tag=${body.tag}`;
    }
  }

  function all(types: readonly string[]) {
    const missing = new Set(types);
    return ({ event }: StreamEvent) => {
      missing.delete(event);
      return missing.size === 0;
    };
  }

  // --- Success -------------------------------------------------------------------------------------------------------

  it("is given by starting sessions", async () => {
    const rawData = JSON.stringify({ nickName: "王小明", avatarUrl: "https://thirdwx.qlogo.cn/mmopen/example/132" });
    const code = wechat.newCode("openid-of-one");
    const signed = {
      "x-wx-code": code,
      "x-wx-raw-data": Buffer.from(rawData).toString("base64url"),
      "x-wx-signature": wechat.sign(rawData, code),
    };
    const byHeaders = await house.http("GET", "/login", { headers: signed });
    expect([byHeaders.status, byHeaders.body.user.profile]).toEqual([201, JSON.parse(rawData)]);
    const again = wechat.newCode("openid-of-one");
    const { encryptedData, iv } = wechat.encrypt(again, { nickName: "王小明" });
    const byBody = await house.http("POST", "/login", { body: { code: again, appid: app.appid, encryptedData, iv } });
    expect([byBody.status, byBody.body.user.id]).toEqual([201, byHeaders.body.user.id]);
    const session = await house.http("GET", "/session", { token: byBody.body.session.token });
    expect(session.body.user.profile).toEqual({ nickName: "王小明" });
  });

  it("is given by the tokens of a shop's own users", async () => {
    const to = operation("POST /login/token");
    expect((await send(to)).body.session).toMatchObject({ kind: "own" });
    expectCode(await send(to, { body: { token: "x" } }), 401, "TOKEN_INVALID");
    const { userTokens } = house.app.config;
    const keys = { url: new URL("http://127.0.0.1:1/keys") };
    Object.assign(house.app.config, { userTokens: { ...userTokens, keys } });
    expectCode(await send(to), 503, "TOKEN_KEYS_AWAY");
    Object.assign(house.app.config, { userTokens });
  });

  it("is given by showing and ending sessions, and by tickets", async () => {
    expect((await kitchen.http("GET", "/session")).body.session).toMatchObject({ kind: "staff", role: "kitchen" });
    expect((await customer.http("POST", "/session/ticket")).status).toBe(201);
    expect((await ended.http("DELETE", "/session")).status).toBe(204);
    const ask = (token: string, by: string) =>
      house.http("POST", "/introspect", { token: by, raw: new URLSearchParams({ token }).toString(), headers: form });
    expect((await ask(kitchen.token, key)).body).toMatchObject({ active: true, sub: kitchen.user, shop: at.shop });
    expect((await ask(customer.token, foreignKey)).body).toMatchObject({ active: true, kind: "guest" });
    expect((await ask(kitchen.token, foreignKey)).body).toEqual({ active: false });
    expect((await ask("nonsense", key)).body).toEqual({ active: false });
  });

  it("is given by the examples, and by their absence", async () => {
    const to = operation("GET /examples/session");
    expect((await send(to)).body.rows[0]).toMatchObject({ table: "sessions", row: { kind: "guest" } });
    Object.assign(house.app.config, { examples: false });
    expectCode(await send(to), 404, "ROUTE_UNKNOWN");
    Object.assign(house.app.config, { examples: true });
  });

  it("is given to Wafer's SDKs", async () => {
    const code = wechat.newCode("openid-of-one");
    const { encryptedData, iv } = wechat.encrypt(code, { nickName: "王小明" });
    const headers = { "x-wx-code": code, "x-wx-encrypted-data": encryptedData, "x-wx-iv": iv };
    const begun = await house.http("GET", "/weapp/login", { headers });
    const { id, skey } = begun.body.session;
    expect((await house.http("POST", "/weapp/login", { headers })).body.code).toBe(-1);
    for (const method of ["GET", "POST"]) {
      const { body } = await house.http(method, "/weapp/user", { headers: { "x-wx-id": id, "x-wx-skey": skey } });
      expect(body.data.nickName).toBe("王小明");
    }
    for (const path of ["/mina_auth", "/mina_auth/"]) {
      const body = { interface: { interfaceName: "qcloud.cam.auth", para: { id, skey } } };
      expect((await house.http("POST", path, { token: key, body })).body.returnCode).toBe(0);
    }
  });

  it("is given to business servers by the channel service", async () => {
    await addChannel(house.app, { host: "biz.example.com", key: "test-key", keepBodies: false });
    for (const path of ["/get/wsurl", "/ws/push", "/ws/log"]) {
      const [[, body] = []] = api.operations.find((one) => one.path === path)?.body["application/json"]?.examples ?? [];
      expect((await house.http("POST", path, { body })).body.code).toBe(path === "/ws/log" ? 9004 : 0);
    }
  });

  it("is given to CloudBase's clients", async () => {
    const { collections } = parseCollections("notes: { permission: PRIVATE }");
    const doors = await openHouse(embedded, { config: { collections } });
    const begun = await doors.http("POST", "/auth/v1/signin/anonymously", { body: {} });
    const { access_token: token, refresh_token } = begun.body;
    const rest = "/v1/database/instances/(default)/databases/(default)";
    const documents = `${rest}/collections/notes/documents`;
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await doors.http(method, path, { token, ...(body === undefined ? {} : { body }) });
      expect([path, answer.status, answer.body?.code]).toEqual([path, 200, undefined]);
      return answer.body;
    };
    await ask("POST", `${rest}/collections`, { collectionName: "notes" });
    const [id] = (await ask("POST", documents, { data: [{ n: 1 }] })).insertedIds;
    expect((await ask("GET", documents)).list).toHaveLength(1);
    expect(await ask("GET", `${documents}?count=true`)).toEqual({ total: 1 });
    expect(await ask("GET", `${documents}/${id}`)).toMatchObject({ n: 1 });
    await ask("PATCH", documents, { data: { n: 2 }, multi: true });
    await ask("POST", `${documents}/aggregations`, { pipeline: [{ $count: "all" }] });
    for (const end of ["commit", "rollback"]) {
      const { transactionId } = await ask("POST", `${rest}/transactions`);
      await ask("POST", `${rest}/transactions/${transactionId}/${end}`);
    }
    await ask("POST", `${documents}/remove`, { multi: true });
    await ask("POST", "/web", { action: "database.countDocument", collectionName: "notes" });
    await ask("POST", "/auth/v1/token", { grant_type: "refresh_token", refresh_token });
    await ask("GET", "/auth/v1/user/me");
    await ask("POST", "/auth/v1/user/signout");
    await ask("POST", "/auth/v1/revoke", { token });
    await doors.close();
  });

  it("is given to CloudBase's clients about files", async () => {
    const doors = await openHouse(embedded, { store: memoryStore() });
    const { http } = await doors.guest();
    const listed = async (list: string, body: object) => {
      const answer = await http("POST", `/v1/storages/${list}`, { body: [body] });
      expect([list, answer.status]).toEqual([list, 200]);
      return answer.body[0];
    };
    const cloudObjectId = "cloud://orderbell.files/a.txt";
    const { uploadUrl } = await listed("get-objects-upload-info", { objectId: "a.txt" });
    const { pathname } = new URL(uploadUrl);
    expect((await http("PUT", pathname, { raw: "hello" })).status).toBe(200);
    for (const [status, more] of [[204, {}] as const, [201, { success_action_status: "201" }] as const]) {
      const fields = new FormData();
      for (const [name, value] of Object.entries(more)) fields.append(name, value);
      fields.append("file", new Blob(["hello"]));
      const asked = new Response(fields);
      const headers = { "content-type": String(asked.headers.get("content-type")) };
      const raw = new Uint8Array(await asked.arrayBuffer());
      expect((await http("POST", pathname, { raw, headers })).status).toBe(status);
    }
    const { downloadUrl } = await listed("get-objects-download-info", { cloudObjectId });
    const path = new URL(downloadUrl).pathname;
    expect([(await http("GET", path)).status, (await http("HEAD", path)).status]).toEqual([302, 200]);
    await listed("copy-objects", { srcPath: "a.txt", dstPath: "b.txt" });
    expect(await listed("delete-objects", { cloudObjectId })).toEqual({ cloudObjectId });
    expectCode(await http("GET", path), 404, "FILE_UNKNOWN");
    await doors.close();
  });

  it("is given by reading shops", async () => {
    expect((await house.http("GET", "/get_shop_info")).body.shops).toHaveLength(1);
    const info = await house.http("GET", `/get_shop_info?shop=${at.shop}&table=${at.table}`);
    expect(info.body).toMatchObject({ shop: { id: at.shop, open: true }, table: { label: "5" } });
    const etag = info.headers.get("etag") ?? "";
    expect(info.headers.get("cache-control")).toBe("no-cache");
    const same = await house.http("GET", `/get_shop_info?shop=${at.shop}&table=${at.table}`, {
      headers: { "if-none-match": `"other", W/${etag}` },
    });
    expect([same.status, same.text]).toEqual([304, ""]);
    expect((await house.http("GET", `/shops/${at.shop}/board`)).body.board).toEqual({ preparing: [], ready: [] });
  });

  it("is given by the steps of orders", async () => {
    const idem = newKey();
    const bill = {
      service: "delivery",
      delivery: { name: "王小明", phone: "13900001234", address: "测试路 1 号" },
      lines: [{ dish: "bun", quantity: 5, note: "不要香菜" }],
    };
    const placed = await customer.order(bill, idem);
    expect(placed.status).toBe(201);
    const repeated = await customer.order(bill, idem);
    expect([repeated.status, repeated.body]).toEqual([200, placed.body]);
    const { id } = placed.body.order;
    expect((await customer.order({ service: "table", table: at.table })).status).toBe(201);

    const accepted = await kitchen.http("POST", `/orders/${id}/accept`, { body: { version: 1 } });
    expect(accepted.body.order.delivery).toEqual(bill.delivery);
    // The board shows orders to be collected; this one is brought.
    expect((await house.http("GET", `/shops/${at.shop}/board`)).body.board.preparing).toEqual([]);
    const struck = await kitchen.http("PUT", `/orders/${id}/lines/1`, { body: { struck: true } });
    expect(struck.body.order.lines[0].struck).toBe(true);
    expect((await cashier.http("POST", `/orders/${id}/paid`)).body.order.payment).toBe("paid");
    expect((await kitchen.http("GET", `/orders/${id}`)).body.history).toHaveLength(4);
    const own = await customer.http("GET", `/orders/${id}`);
    expect(own.body.history.map(({ by }: { by: string }) => by)).toEqual(["customer", "shop", "shop"]);
    const cancelled = await customer.http("POST", `/orders/${(await customer.order()).body.order.id}/cancel`, {
      body: { reason: "不来了" },
    });
    expect(cancelled.body.order).toMatchObject({ status: "cancelled", reason: "不来了" });
    expect((await customer.http("GET", "/orders")).body.orders).toHaveLength(4);
    expect((await customer.http("GET", `/orders?before=${id}`)).body.orders).toHaveLength(1);
    const list = await kitchen.http("GET", `/shops/${at.shop}/orders?status=placed,accepted`);
    expect(list.body.orders).toHaveLength(3);
  });

  it("is given by running a shop", async () => {
    const path = `/shops/${at.shop}`;
    for (const open of [false, true])
      expect((await kitchen.http("PUT", `${path}/open`, { body: { open } })).body).toEqual({ open });
    const menu = await kitchen.http("GET", `${path}/menu`);
    expect(menu.headers.get("etag")).toBe(`"${menu.body.version}"`);
    const replaced = await owner.http("PUT", `${path}/menu`, {
      body: testMenu,
      headers: { "if-match": menu.headers.get("etag") ?? "" },
    });
    expect(replaced.body).toEqual({ version: menu.body.version + 1 });
    expect((await send(operation("PUT /shops/{shop}/settings"))).status).toBe(200);
    const settings = { settings: testSettings({ notice: { zh: "今天有饺子" } }), names: { zh: "面馆" } };
    expect((await owner.http("PUT", `${path}/settings`, { body: settings })).body).toMatchObject(settings);
    const dish = { ...testMenu.dishes[1], id: "dumpling" };
    expect((await owner.http("PUT", `${path}/dishes/dumpling`, { body: dish })).body.dish).toEqual(dish);
    const price = await owner.http("PUT", `${path}/dishes/dumpling/price`, { body: { priceFen: 900 } });
    expect(price.body.priceFen).toBe(900);
    expect((await owner.http("DELETE", `${path}/dishes/dumpling`)).status).toBe(200);

    const off = await kitchen.http("PUT", `${path}/dishes/bun/sold_out`, { body: { soldOut: true } });
    expect(off.body).toEqual({ dish: "bun", stock: 50, sold: 5, left: 45, soldOut: true, etag: "50.5" });
    const more = await kitchen.http("POST", `${path}/dishes/bun/stock`, { body: { delta: 5 } });
    expect(more.body).toMatchObject({ left: 50, etag: "55.5" });
    const counted = await kitchen.http("PUT", `${path}/dishes/bun/stock`, {
      body: { left: 40 },
      headers: { "if-match": `"${more.body.etag}"` },
    });
    expect(counted.body).toMatchObject({ left: 40, stock: 45 });
    await kitchen.http("PUT", `${path}/dishes/bun/sold_out`, { body: { soldOut: false } });

    const place = await owner.http("POST", `${path}/pictures`, { body: { type: "image/webp", bytes: 1_000 } });
    expect(place.body.picture).toMatch(/^\/files\/.+\/content$/);

    const tables = await owner.http("POST", `${path}/tables`, { body: { labels: ["7"] } });
    expect((await kitchen.http("GET", `${path}/tables`)).body.tables).toContainEqual(tables.body.tables[0]);
    expect((await owner.http("DELETE", `${path}/tables/${tables.body.tables[0].token}`)).status).toBe(204);
    const code = await owner.http("POST", `${path}/pairing`, { body: { role: "kitchen", device: "second tablet" } });
    const paired = await house.http("POST", "/login/staff", { body: { pairingCode: code.body.pairingCode } });
    const { id } = paired.body.session;
    const devices = await owner.http("GET", `${path}/devices`);
    expect(devices.body.devices.map((device: { id: string }) => device.id)).toContain(id);
    expect((await owner.http("DELETE", `${path}/devices/${id}`)).status).toBe(204);
    const [ended, made] = (await owner.http("GET", `${path}/audit?limit=2`)).body.entries;
    expect(ended).toMatchObject({ action: "device.revoke", detail: { device: id }, operator: null });
    expect(ended.device).toEqual({ id: owner.session, name: "tablet", role: "owner" });
    expect(made).toMatchObject({ action: "pair", detail: { role: "kitchen", device: "second tablet" } });
    const older = await owner.http("GET", `${path}/audit?before=${made.id}`);
    expect(older.body.entries[0].id < made.id).toBe(true);
    expect((await owner.http("GET", `${path}/audit?limit=0`)).status).toBe(400);

    const report = await cashier.http("GET", `${path}/report`);
    expect(report.body).toMatchObject({ orders: 3, dishes: [{ dish: "bun", quantity: 5 }, { dish: "beef" }] });
    const csv = await cashier.http("GET", `${path}/report?day=${report.body.day}&format=csv`);
    expect(csv.headers.get("content-disposition")).toContain(`${at.shop}-${report.body.day}.csv`);
    expect(csv.text).toContain(`${report.body.day},bun,肉包,,5,2500`);
  });

  it("is given by the list of collections, to owners and keys that administer them", async () => {
    for (const token of [owner.token, key])
      expect(
        (await send(operation("GET /collections"), { token })).body.collections.map(
          ({ name }: { name: string }) => name,
        ),
      ).toEqual(expect.arrayContaining(["shops", "menus", "orders"]));
  });

  it("is given by files", async () => {
    const put = operation("POST /files");
    expect((await send(put)).body.upload.method).toBe("PUT");
    const film = { purpose: "film", name: "film.mp4", type: "video/mp4", bytes: contents["video/mp4"].length };
    const set = (await owner.http("POST", "/files", { body: film })).body.file.id;
    const playlist = contents["application/vnd.apple.mpegurl"];
    const member = { ...film, name: "a.m3u8", type: "application/x-mpegurl", bytes: playlist.length, of: set };
    const { upload } = (await owner.http("POST", "/files", { body: member })).body;
    await fetch(new URL(upload.url, house.url), { ...upload, body: playlist as never });
    expect((await house.http("GET", `/files/${set}/a.m3u8`)).status).toBe(200);
    for (const key of ["POST /files/{id}/complete", "GET /files/{id}", "GET /files", "POST /files/{id}/parts"])
      expect([key, (await send(operation(key))).status]).toEqual([key, 200]);
    expect((await send(operation("GET /files/{id}/{name}"))).status).toBe(302);
    expect((await send(operation("DELETE /files/{id}"), { path: { id: await newFile() } })).status).toBe(204);
  });

  it("is given by notifying customers and kitchens", async () => {
    const tell = (body: object, idem: string, token = owner.token) =>
      house.http("POST", "/notify", { token, body, headers: { "idempotency-key": idem } });
    const [notice, idem] = [{ user: customer.user, title: "您的面好了", order: at.id }, newKey()];
    const told = await tell(notice, idem);
    house.clock.forward(1_000);
    const repeated = await tell(notice, idem);
    expect([told.status, repeated.status, repeated.body]).toEqual([201, 200, told.body]);
    expect((await tell({ shop: at.shop, title: "骑手到了" }, newKey(), key)).status).toBe(201);
    expect((await customer.http("GET", "/orders")).body.notifications).toEqual([told.body.notification]);
  });

  it("is given by a game, and whoever plays it", async () => {
    const { game } = (await customer.http("POST", "/games")).body;
    at.game = game.id;
    expect((await other.http("POST", "/games")).body.game).toMatchObject({ id: game.id, status: "playing" });
    for (const body of [{ move: "choose", round: 1, choice: "rock" }, { move: "again", round: 1 }, { move: "check" }])
      expect((await customer.http("POST", `/games/${game.id}/moves`, { body })).status).toBe(200);
    expect((await send(operation("GET /games/{game}"))).body.game.choice).toBe("rock");
    expect((await other.http("POST", `/games/${game.id}/moves`, { body: { move: "leave" } })).body.game.left).toBe(1);
  });

  it("is given by rooms, and by every event of every stream", async () => {
    const room = await customer.http("POST", "/rooms");
    const { stream, id } = room.body.room;
    at.room = id;
    const listener = { right: "read", user: other.user, grantSec: 60 };
    const granted = await customer.http("POST", `/rooms/${id}/grants`, { body: listener });
    const phone = await customer.connect();
    phone.say({ type: "publish", stream, id: "hello-1", grant: room.body.grant, data: { text: "来了" } });
    await phone.next("published");
    const presence = `presence:${id}`;
    const enter = { type: "enter", stream: presence, id: "phone", grant: room.body.grant };
    for (const data of [{ name: "小李" }, { name: "小李", typing: true }]) {
      phone.say({ ...enter, data });
      await phone.next("entered");
    }
    const told = await house.http("POST", `/rooms/${id}/messages`, { token: key, body: { id: "m-1", data: "到了" } });
    expect([told.status, told.body.message.stream]).toEqual([200, stream]);
    const withGrant = { token: other.token, headers: { "x-grant": granted.body.grant } };
    await follow(stream, all(eventTypes.room), withGrant);
    const read = async (what: string) => (await other.http("GET", `/rooms/${id}/${what}`, withGrant)).body;
    expect((await read("members")).members).toMatchObject([{ user: customer.user, data: { typing: true } }]);
    expect((await read("messages")).messages.map(({ id }: { id: string }) => id)).toEqual(["m-1", "hello-1"]);
    phone.say({ ...enter, type: "exit" });
    await follow(presence, all(eventTypes.presence), withGrant);
    phone.close();
    expect((await customer.http("DELETE", `/rooms/${id}/grants`)).status).toBe(204);

    const here = { token: kitchen.token };
    await follow(`shop:${at.shop}`, all(["order.placed", "kitchen.live"]), here);
    await follow(`menu:${at.shop}`, ({ data }) => (data as MenuState).live);
    // Long enough for the screen to be gone and the waiting order to escalate. Polling the kitchen counts as a screen again.
    house.clock.forward(200_000);
    let wasLive = false;
    await follow(`menu:${at.shop}`, ({ data }) => {
      const { live } = data as MenuState;
      wasLive ||= live;
      return wasLive && !live;
    });
    await follow(`shop:${at.shop}`, all(eventTypes.shop), here);
    await follow(`user:${customer.user}`, all(eventTypes.user), { token: customer.token });
    await follow(`board:${at.shop}`, all(eventTypes.board));
    expect(events).toEqual(new Set(Object.values(eventTypes).flat()));

    const nothing = await house.http("GET", `/events?stream=menu:${at.shop}`);
    expect(nothing.body.events).toEqual([]);
    const reset = await house.http("GET", `/events?stream=menu:${at.shop}&epoch=other&after=1&tag=none`);
    expect(reset.body.reset).toBe("epoch");
  });

  // --- Refusals that are the same wherever they are written --------------------------------------------------------

  const big = "x".repeat(512 * 1_024 + 1);
  const json = { "content-type": "application/json" };
  const typeOf = (to: Operation) => (isForm(to) ? form : json);

  const everywhere: Readonly<Record<string, (to: Operation) => Promise<Answer>>> = {
    SESSION_MISSING: (to) => send(to, { token: undefined }),
    SESSION_INVALID: (to) => send(to, { token: "nonsense" }),
    SESSION_ENDED: (to) => send(to, { token: ended.token }),
    SESSION_EXPIRED: (to) => send(to, { token: expired.token }),
    API_KEY_INVALID: (to) => send(to, { token: `obk_${"x".repeat(43)}` }),
    BODY_TOO_LARGE: (to) => send(to, { raw: big, headers: typeOf(to) }),
    MEDIA_TYPE_UNSUPPORTED: (to) => send(to, { raw: "x", headers: { "content-type": "text/plain" } }),
    MALFORMED(to) {
      if (to.method === "GET") return send(to, { headers: { "x-wx-code": "code", "x-wx-raw-data": "_w" } });
      return send(to, { raw: isForm(to) ? Uint8Array.of(0x3d, 0xff) : "{", headers: typeOf(to) });
    },
    INVALID_INPUT(to) {
      if (isForm(to)) return send(to, { raw: "token=" });
      if (Object.keys(to.body).length > 0) return send(to, { body: { nonsense: true } });
      // The name behind it says nothing.
      if (to.path.endsWith("/{address}/{name}")) return send(to, { path: { address: "not good" } });
      const last = to.segments.findLast((segment) => segment.startsWith("{"))?.slice(1, -1);
      if (last !== undefined) return send(to, { path: { [last]: "not/good" } });
      return send(to, { query: "?shop=not%20good&before=x&stream=x" });
    },
    IDEMPOTENCY_KEY_MISSING: (to) => house.http(to.method, to.path, { token: tokenOf(to), body: bodyOf(to) }),
    async FORBIDDEN(to) {
      if (to.key === "POST /bill") return send(to, { token: kitchen.token });
      if (to.key === "POST /rooms") return withRooms({ makers: "staff" }, () => send(to));
      if (to.path.endsWith("/{address}/{name}")) return send(to, { path: { address: altered(String(at.address)) } });
      if (to.key === "POST /files") return send(to, { body: { ...(bodyOf(to) as object), purpose: "film" } });
      const token = /^\/(rooms|files)/.test(to.path) ? other.token : customer.token;
      return send(to, { token });
    },
    SHOP_UNKNOWN(to) {
      if (to.key === "POST /bill") return send(to, { body: { shop: "nowhere", ...oneBowl } });
      if (to.key === "POST /notify") return send(to, { token: key, body: { shop: "nowhere", title: "?" } });
      if (to.key === "GET /get_shop_info") return send(to, { query: "?shop=nowhere" });
      if (to.key === "POST /files")
        return send(to, { body: { ...(bodyOf(to) as object), shop: "nowhere", visibility: "private" } });
      const token = to.path.endsWith("/board") ? undefined : stranger.token;
      return send(to, { token, path: { shop: "nowhere", device: stranger.session } });
    },
    GAME_UNKNOWN: (to) => send(to, { path: { game: nobody } }),
    async ROUTE_UNKNOWN(to) {
      Object.assign(house.app.config, { examples: false });
      return send(to).finally(() => Object.assign(house.app.config, { examples: true }));
    },
    GRANT_INVALID: (to) => send(to, { query: to.path === "/events" ? `?stream=room:${at.room}` : "" }),
    DISH_UNKNOWN: (to) => send(to, { path: { dish: "nothing" } }),
    ORDER_UNKNOWN(to) {
      if (to.key === "POST /notify") return send(to, { body: { shop: at.shop, title: "?", order: nobody } });
      return send(to, { path: { id: nobody } });
    },
    STREAM_UNKNOWN: (to) =>
      send(to, { path: { room: nobody }, query: to.path === "/events" ? "?stream=menu:nowhere" : "" }),
    TABLE_UNKNOWN(to) {
      if (to.key === "POST /bill")
        return send(to, { body: { shop: at.shop, ...oneBowl, service: "table", table: "none" } });
      return send(to, {
        path: { table: "none" },
        query: to.path === "/get_shop_info" ? `?shop=${at.shop}&table=none` : "",
      });
    },
    DEVICE_UNKNOWN: (to) => send(to, { path: { device: nobody } }),
    USER_UNKNOWN: (to) => send(to, { body: { user: nobody, title: "?" } }),
    FILE_UNKNOWN(to) {
      if (to.key === "POST /files")
        return send(to, { token: owner.token, body: { ...film, type: "text/vtt", of: nobody } });
      return send(to, { path: { id: nobody } });
    },
    FILE_CONTENT_WRONG: async (to) => send(to, { path: { id: await newFile({}, Buffer.from("<html>")) } }),
    FILE_NOT_STORED: async (to) =>
      send(to, { path: { id: (await customer.http("POST", "/files", { body: bodyOf(to) ?? asked })).body.file.id } }),
    FILE_TOO_LARGE: (to) => send(to, { body: { ...(bodyOf(to) as object), bytes: 100_000_000 } }),
    FILE_TYPE_REFUSED: (to) => send(to, { body: { ...(bodyOf(to) as object), type: "image/svg+xml" } }),
    PURPOSE_UNKNOWN: (to) => send(to, { body: { ...(bodyOf(to) as object), purpose: "selfies" } }),
    async FILES_AWAY(to) {
      const path = to.path.startsWith("/files/{id}") ? { id: await newFile() } : {};
      return withoutStore(() => send(to, { path, ...(to.path.endsWith("/parts") ? { body: { parts: [] } } : {}) }));
    },
    FILES_FULL: (to) => withoutQuota(() => send(to)),
    VERSION_MISMATCH: (to) => send(to, { headers: { "if-match": '"999"' } }),
    NO_STOCK_COUNT: (to) => send(to, { path: { dish: "beef" }, headers: { "if-match": '"-.0"' } }),
  };

  /** The owner of the server has set rooms so, for the time of one request. */
  async function withRooms(set: object, work: () => Promise<Answer>): Promise<Answer> {
    const { rooms } = house.app.config;
    const before = { ...rooms };
    Object.assign(rooms, set);
    return work().finally(() => Object.assign(rooms, before));
  }

  const asked = { purpose: "picture", name: "a.png", type: "image/png", bytes: 5 };
  const film = { purpose: "film", name: "film.mp4", bytes: 5 };

  /** The storage does not answer, for the time of one request. */
  async function withoutStore(work: () => Promise<Answer>): Promise<Answer> {
    const { store } = house.app;
    const away = async () => {
      throw new FilesAway("planted");
    };
    const gone = Object.fromEntries(Object.keys(store).map((name) => [name, away]));
    const before = { ...store };
    Object.assign(store, gone);
    return work().finally(() => Object.assign(store, before));
  }

  /** No purpose has room, for the time of one request. */
  async function withoutQuota(work: () => Promise<Answer>): Promise<Answer> {
    const { purposes } = house.app.config;
    const full = [...purposes].map(([name, one]) => [name, { ...one, total: { bytes: 1 } }] as const);
    Object.assign(house.app.config, { purposes: new Map(full) });
    return work().finally(() => Object.assign(house.app.config, { purposes }));
  }

  it.each(Object.keys(everywhere))("is given with %s, wherever it is declared", async (code) => {
    const written = api.operations.flatMap((to) =>
      refusalsOf(to)
        .filter((refusal) => refusal.code === code)
        .map(({ status }) => ({ to, status: Number(status) })),
    );
    expect(written).not.toEqual([]);
    for (const { to, status } of written) {
      const answer = await (everywhere[code] as (to: Operation) => Promise<Answer>)(to);
      expect([to.key, answer.status, answer.body?.code]).toEqual([to.key, status, code]);
    }
  });

  it("is given with OVERLOADED, where a menu is edited without end", async () => {
    const restless = await openHouse(embedded, { mayFail: true });
    Object.assign(restless.app.batches, { add: async () => ({ kind: "menuMoved" }) });
    const answer = await (await restless.guest()).order();
    expect([answer.status, answer.body.code, answer.headers.get("retry-after")]).toEqual([503, "OVERLOADED", "1"]);
    await restless.close();
  });

  it.each([
    ["DATABASE_AWAY", () => new ConnectionLost(false, new Error("planted"))],
    ["INTERNAL", () => new Error("planted")],
  ])("is given with %s, wherever it is declared", async (code, failure) => {
    const db = await embedded.open();
    let broken = false;
    const breakable =
      <A, T>(work: (given: A) => Promise<T>) =>
      async (given: A): Promise<T> => {
        if (broken) throw failure();
        return work(given);
      };
    const frail: TestDatabase = { ...db, read: breakable(db.read), flight: breakable(db.flight) };
    const ill = await openHouse(embedded, {
      db: frail,
      mayFail: true,
      clock,
      environment: { EXAMPLES: "on", ...takesTokens },
    });
    const { token } = await ill.guest();
    broken = true;
    for (const to of api.operations.filter((one) => refusalsOf(one).some((refusal) => refusal.code === code))) {
      const own = tokenOf(to) === undefined || tokenOf(to) === key ? {} : { token };
      const headers = /^GET \/login|\/weapp\/login/.test(to.key) ? { "x-wx-code": "code" } : {};
      const query =
        to.key === "GET /events"
          ? "?stream=menu:noodle-house"
          : to.key === "GET /get_shop_info"
            ? "?shop=noodle-house"
            : "";
      const answer = await send(to, { house: ill, ...own, headers, query });
      expect([to.key, answer.body?.code]).toEqual([to.key, code]);
    }
    const health = await ill.http("GET", "/healthz");
    expect([health.status, health.body.status]).toEqual([503, "database away"]);
    broken = false;
    expect((await ill.http("GET", "/healthz")).body.status).toBe("ok");
    await ill.close();
    await db.remove();
  });

  // --- Refusals of their own ---------------------------------------------------------------------------------------

  it("is given by logins that WeChat refuses", async () => {
    const ways = {
      "GET /login": (code: string, more: Record<string, string> = {}) =>
        house.http("GET", "/login", {
          headers: {
            "x-wx-code": code,
            ...(more.appid === undefined ? {} : { "x-wx-appid": more.appid }),
            ...(more.rawData === undefined ? {} : { "x-wx-raw-data": Buffer.from(more.rawData).toString("base64url") }),
            ...(more.signature === undefined ? {} : { "x-wx-signature": more.signature }),
          },
        }),
      "POST /login": (code: string, more: Record<string, string> = {}) =>
        house.http("POST", "/login", { body: { code, ...more } }),
    };
    wechat.block("openid-of-a-thief");
    for (const login of Object.values(ways)) {
      const used = wechat.newCode();
      expect((await login(used)).status).toBe(201);
      expectCode(await login(used), 401, "LOGIN_CODE_USED");
      expectCode(await login(newKey()), 401, "LOGIN_CODE_INVALID");
      expectCode(
        await login(wechat.newCode(), { rawData: "{}", signature: "0".repeat(40) }),
        401,
        "LOGIN_DATA_INVALID",
      );
      expectCode(await login(wechat.newCode("openid-of-a-thief")), 403, "LOGIN_BLOCKED");
      wechat.misbehave("busy");
      expectCode(await login(wechat.newCode()), 503, "WECHAT_AWAY");
      wechat.misbehave();
      expectCode(await login(wechat.newCode(), { appid: "wx-not-added" }), 400, "APP_UNKNOWN");
    }
    await addWechatApp(house.app, wrongApp);
    for (const login of Object.values(ways)) {
      expectCode(await login(wechat.newCode()), 400, "APP_UNKNOWN");
      const code = wechat.newCode("openid-of-one", wrongApp.appid);
      expectCode(await login(code, { appid: wrongApp.appid }), 502, "WECHAT_MISCONFIGURED");
    }
    const tooOften = async (login: (typeof ways)["POST /login"]) => {
      for (;;) {
        const answer = await login(wechat.newCode("openid-of-a-robot"), { appid: app.appid });
        if (answer.status !== 201) return answer;
      }
    };
    for (const login of Object.values(ways)) expectCode(await tooOften(login), 429, "LOGIN_TOO_OFTEN");
    expectCode(
      await house.http("POST", "/login/staff", { body: { pairingCode: "AAAA-BBBB-CCCC" } }),
      401,
      "PAIRING_CODE_INVALID",
    );
  });

  it("is given by orders that the shop refuses", async () => {
    const shop = "snack-bar";
    await createShop(house.app, {
      id: shop,
      names: { zh: "小吃" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 0,
      settings: testSettings(),
    });
    await editMenu(house.app, { actor: null, shop, action: "menu.import", edit: () => ({ menu: testMenu }) });
    const boss = await house.staff("owner", shop);
    const settle = (more: object) =>
      boss.http("PUT", `/shops/${shop}/settings`, { body: { settings: { ...testSettings(), ...more } } });
    const refused = async (status: number, code: string, bill: object = {}, idem = newKey()) =>
      expectCode(await customer.order({ shop, ...bill }, idem), status, code);

    await refused(409, "SHOP_CLOSED");
    await openShop(house.app, null, shop, true);
    await refused(409, "DISH_UNAVAILABLE", { lines: [{ dish: "off", quantity: 1 }] });
    await refused(409, "SOLD_OUT", { lines: [{ dish: "bun", quantity: 51 }] });
    await refused(409, "PRICE_CHANGED", { expectedTotalFen: 1 });
    await refused(422, "OPTIONS_INVALID", { lines: [{ dish: "beef", quantity: 1 }] });
    const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    await refused(422, "BELOW_MINIMUM", { lines: [{ dish: "tea", quantity: 1 }], service: "delivery", delivery });
    const [line] = oneBowl.lines;
    await refused(422, "ORDER_TOO_LARGE", {
      lines: Array.from({ length: 40 }, () => ({ ...line, note: "面".repeat(100) })),
    });
    const idem = newKey();
    expect((await customer.order({ shop }, idem)).status).toBe(201);
    await refused(422, "KEY_REUSED", { note: "another" }, idem);
    await settle({ limits: { perSession: 1 } });
    await refused(429, "TOO_MANY_UNACCEPTED");
    await settle({ refuseWhenOffline: true });
    await refused(409, "KITCHEN_OFFLINE");
    await settle({ services: { table: false, pickup: false } });
    await refused(422, "SERVICE_NOT_OFFERED");
    await settle({ guests: "refuse" });
    await refused(403, "GUESTS_REFUSED");
  });

  it("is given by steps that do not follow", async () => {
    await owner.http("PUT", `/shops/${at.shop}/settings`, { body: { settings: testSettings({ guests: "counter" }) } });
    const { id } = (await customer.order()).body.order;
    const step = (action: string, body: object = {}) => kitchen.http("POST", `/orders/${id}/${action}`, { body });
    expectCode(await step("accept"), 403, "CONFIRM_AT_COUNTER");
    const tooEarly = await step("complete");
    expectCode(tooEarly, 409, "STEP_NOT_ALLOWED");
    expect(tooEarly.body).toMatchObject({ status: 409, orderStatus: "placed" });
    expectCode(await step("reject", { version: 9 }), 409, "ORDER_CHANGED");
    expectCode(await step("dance"), 400, "INVALID_INPUT");
  });

  it("is given by menus that contradict themselves", async () => {
    const path = `/shops/${at.shop}`;
    const put = async (to: string, body: object) =>
      expectCode(await owner.http("PUT", path + to, { body }), 422, "MENU_INVALID");
    const [, bun] = testMenu.dishes;
    await put("/menu", { ...testMenu, categories: [] });
    await put("/dishes/bun", { ...bun, category: "soups" });
    await put("/settings", { settings: { services: {}, escalateAfterSec: 100, expireAfterSec: 100 } });
    const choices = [{ id: "half", names: { zh: "半份" }, priceFen: -400 }];
    const half = { ...bun, options: [{ id: "size", names: { zh: "大小" }, min: 0, max: 1, choices }] };
    expect((await owner.http("PUT", `${path}/dishes/bun`, { body: half })).status).toBe(200);
    await put("/dishes/bun/price", { priceFen: 399 });
    const dishes = Array.from({ length: 500 }, (_, nth) => ({ ...bun, id: `bun-${nth}` }));
    expect((await owner.http("PUT", `${path}/menu`, { body: { ...testMenu, dishes } })).status).toBe(200);
    await put("/dishes/one-more", { ...bun, id: "one-more" });
    expect((await owner.http("PUT", `${path}/menu`, { body: testMenu })).status).toBe(200);
  });

  it("is given by rooms that are refused", async () => {
    const make = () => other.http("POST", "/rooms");
    expectCode(await withRooms({ makers: "off" }, make), 403, "ROOMS_OFF");
    expectCode(await withRooms({ maxTotalBytes: 0 }, make), 503, "ROOMS_FULL");
    await make();
    expectCode(await withRooms({ perHour: 1 }, make), 429, "TOO_MANY_ROOMS");

    const play = () => customer.http("POST", "/games");
    expectCode(await withRooms({ makers: "off" }, play), 403, "ROOMS_OFF");
    expectCode(await withRooms({ maxTotalBytes: 0 }, play), 503, "ROOMS_FULL");
    const { game } = (await play()).body;
    await customer.http("POST", `/games/${game.id}/moves`, { body: { move: "leave" } });
    expectCode(await withRooms({ perHour: 1 }, play), 429, "TOO_MANY_ROOMS");

    const to = operation("POST /rooms/{room}/messages");
    const tell = (data: unknown = "") => send(to, { body: { id: newKey(), data } });
    expectCode(await withRooms({ makers: "off" }, tell), 403, "ROOMS_OFF");
    expectCode(await withRooms({ maxTotalBytes: 0 }, tell), 503, "ROOMS_FULL");
    expectCode(await withRooms({ bytesPerSec: 10 }, tell), 429, "PUBLISH_TOO_FAST");
    expectCode(await tell("x".repeat(25_000)), 422, "EVENT_TOO_LARGE");
  });

  it("is given by the remaining errors", async () => {
    const [less, idem] = [operation("POST /shops/{shop}/dishes/{dish}/stock"), newKey()];
    expectCode(await send(less, { body: { delta: -99_999 } }), 409, "STOCK_BELOW_SOLD");
    expectCode(await send(less, { body: { delta: 100_000 } }), 409, "STOCK_ABOVE_LIMIT");
    const tell = (title: string) =>
      owner.http("POST", "/notify", { body: { shop: at.shop, title }, headers: { "idempotency-key": idem } });
    expect((await tell("one")).status).toBe(201);
    expectCode(await tell("another"), 422, "KEY_REUSED");
    const ask = (query: string) => customer.http("GET", `/events?stream=${query}`);
    expectCode(await ask(`shop:${at.shop}`), 403, "STREAM_FORBIDDEN");
    expectCode(await house.http("GET", "/nothing/here"), 404, "ROUTE_UNKNOWN");
    expectCode(await house.http("PATCH", "/bill"), 404, "ROUTE_UNKNOWN");
    const malformed = await house.http("GET", "/orders/%ZZ");
    expect([malformed.status, Object.keys(malformed.body)]).toEqual([400, ["message"]]);
    for (;;) {
      const answer = await house.http("POST", "/login/guest");
      if (answer.status === 201) continue;
      expectCode(answer, 429, "TOO_MANY_SESSIONS");
      break;
    }
    expectCode(await send(operation("POST /login/token")), 429, "TOO_MANY_SESSIONS");
  });

  it("was given at least once in this file", () => {
    const promised = api.operations.flatMap(promisesOf);
    expect(promised.length).toBeGreaterThan(400);
    expect(promised.filter((one) => !witnessed.has(one))).toEqual([]);
  });
});

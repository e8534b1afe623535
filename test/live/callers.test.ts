/** Who asks: sessions, keys, visitors; and who may administer collections. */
import { insertApp, putAccount } from "../../db/wechat.ts";
import { ApiKeyInvalid, SessionInvalid } from "../../shared/errors.ts";
import { callerOf, mayAdminister } from "../../shared/live/caller.ts";
import { newApiKey, type Scope } from "../../shared/sessions/api_key.ts";
import { createShop } from "../../shared/shop/open_shop.ts";
import { anyEngine } from "../_engines.ts";
import { altered, type House, openHouse, testSettings } from "../_house.ts";

let house: House;
beforeAll(async () => {
  house = await openHouse(anyEngine);
});
afterAll(() => house.close());

const callerWith = (token: string) => callerOf(house.app, `Bearer ${token}`);
const keyWith = async (scopes: readonly Scope[], shop: string | null = null) =>
  (await newApiKey(house.app, "key", scopes, shop)).key;

it("a guest is its user; nobody is a visitor; what is wrong is refused", async () => {
  const guest = await house.guest();
  const { auth, session, key } = await callerWith(guest.token);
  expect(auth).toEqual({ uid: guest.user, openid: null, loginType: "ANONYMOUS" });
  expect([session?.id, key]).toEqual([guest.session, undefined]);
  expect(await callerOf(house.app, undefined)).toEqual({ auth: null, session: undefined });
  await expect(callerWith(altered(guest.token))).rejects.toThrow(SessionInvalid);
  await expect(callerOf(house.app, "Basic abc")).rejects.toThrow(SessionInvalid);
});

it("a WeChat user's openid is known, that of the mini-program that was added first", async () => {
  const guest = await house.guest();
  const { db, app } = house;
  const at = app.clock.now();
  const account = { unionid: null, user: guest.user, sessionKeySealed: "", userInfoSealed: null, at };
  for (const [id, more] of [
    ["later", 1],
    ["first", 0],
  ] as const) {
    const newApp = { id, name: id, appidSealed: "", secretSealed: "", at: at + more };
    const statements = [
      ...insertApp(db.dialect, newApp),
      ...putAccount(db.dialect, { ...account, app: id, openid: `o-${id}` }),
    ];
    await db.flight({ statements });
  }
  const { callerOfSession } = await import("../../shared/live/caller.ts");
  const { session } = await callerWith(guest.token);
  if (session === undefined) throw new Error("no session");
  const { auth } = await callerOfSession(app, { ...session, kind: "wechat" });
  expect(auth).toEqual({ uid: guest.user, openid: "o-first", loginType: "WECHAT" });
});

it("a key with `collections` is a visitor, one with `collections:admin` an administrator, any other none", async () => {
  const publishable = await callerWith(await keyWith(["collections"]));
  expect(publishable.auth).toBeNull();
  expect(publishable.key?.scopes).toEqual(["collections"]);
  const both = await callerWith(await keyWith(["collections:admin", "collections"]));
  expect(both.auth).toEqual({ uid: both.key?.id, openid: null, loginType: "KEY", isAdmin: true });
  await expect(keyWith(["introspect", "notify", "sessions", "publish"]).then(callerWith)).rejects.toThrow(
    ApiKeyInvalid,
  );
});

it("the owner of the only shop administers collections; of several shops only those that are named", async () => {
  const [owner, cashier] = [await house.staff("owner"), await house.staff("cashier")];
  const isAdmin = async (token: string) => (await callerWith(token)).auth?.isAdmin;
  expect([await isAdmin(owner.token), await isAdmin(cashier.token)]).toEqual([true, false]);
  const shopKey = await keyWith(["collections:admin"], house.shop);
  expect((await callerWith(shopKey)).auth?.isAdmin).toBe(true);
  await createShop(house.app, {
    id: "second",
    names: { zh: "二" },
    zone: "Asia/Shanghai",
    rolloverMinutes: 0,
    settings: testSettings(),
  });
  expect([await isAdmin(owner.token), (await callerWith(shopKey)).auth]).toEqual([false, null]);
  const named = { ...house.app, config: { ...house.app.config, collectionAdmins: ["second"] } };
  expect([await mayAdminister(named, "second"), await mayAdminister(named, house.shop)]).toEqual([true, false]);
});

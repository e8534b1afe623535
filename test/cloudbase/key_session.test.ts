/** The session behind the sockets of one publishable key. */
import { readApiKeys, readSession } from "../../db/sessions.ts";
import { SessionEnded } from "../../shared/errors.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { sessionOfKey } from "../../shared/sessions/key_session.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine);
  });
  afterAll(() => house.close());

  it("is made once, however many ask for it at the same time, and does not expire", async () => {
    const { id } = await newApiKey(house.app, "page", ["collections"], null);
    const key = { id, name: "page", shop: null, scopes: ["collections"] };
    const made = await Promise.all(Array.from({ length: 5 }, () => sessionOfKey(house.app, key)));
    expect(new Set(made.map((one) => one.id))).toEqual(new Set([id]));
    house.clock.forward(3_650 * 86_400_000);
    expect(await sessionOfKey(house.app, key)).toEqual(made[0]);
  });

  it("ends when the key is revoked", async () => {
    const { id } = await newApiKey(house.app, "page", ["collections"], null);
    const key = { id, name: "page", shop: null, scopes: ["collections"] };
    await sessionOfKey(house.app, key);
    expect(await house.call("admin", { command: "keys.revoke", args: { id } })).toMatchObject({ ok: { revoked: id } });
    const [keys, sessions] = await house.db.read([readApiKeys(), readSession(id)]);
    expect(keys?.find((one) => one.id === id)?.revoked_at).not.toBeNull();
    expect(sessions?.[0]?.ended_at).not.toBeNull();
    await expect(sessionOfKey(house.app, key)).rejects.toThrow(SessionEnded);
  });
});

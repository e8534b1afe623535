/** The example "session": callers see the rows of their own session, and nothing secret in them. */
import axios from "axios";
import { sql } from "../../db/sql.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

const app = { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" };

interface Shown {
  readonly table: string;
  readonly row: Readonly<Record<string, unknown>>;
}

onEveryDialect((engine) => {
  let wechat: StandIn;
  let house: House;
  beforeAll(async () => {
    wechat = await startWechat({ apps: [app] });
    house = await openHouse(engine, {
      environment: { EXAMPLES: "on" },
      wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })),
    });
    await addWechatApp(house.app, app);
  });
  afterAll(async () => {
    await house?.close();
    await wechat?.close();
  });

  const show = async (token?: string) => house.http("GET", "/examples/session", token === undefined ? {} : { token });
  const rowOf = (rows: readonly Shown[], table: string) =>
    rows.filter((one) => one.table === table).map(({ row }) => row);

  it("a guest sees the session and the user, and no hash of the token or of the address", async () => {
    const guest = await house.guest();
    await house.guest();
    const { status, body } = await show(guest.token);
    expect(status).toBe(200);
    expect(body.rows.map(({ table }: Shown) => table)).toEqual(["sessions", "users"]);
    const hidden = { token_hash: "hidden", address_hash: "hidden", wider_hash: "hidden" };
    expect(rowOf(body.rows, "sessions")).toEqual([
      expect.objectContaining({ id: guest.session, user_id: guest.user, kind: "guest", ended_at: null, ...hidden }),
    ]);
    expect(rowOf(body.rows, "users")).toEqual([{ id: guest.user, profile: null, created_at: expect.any(Number) }]);
    const [[stored]] = await house.db.read([
      sql`SELECT token_hash, address_hash FROM sessions WHERE id = ${guest.session}`,
    ]);
    for (const secret of [stored?.token_hash, stored?.address_hash]) {
      expect(secret).toEqual(expect.any(String));
      expect(JSON.stringify(body)).not.toContain(secret);
    }
  });

  it("a user of WeChat sees their account too, with its sealed values hidden", async () => {
    const sessionOf = async (openid: string) => {
      const { body } = await house.http("POST", "/login", { body: { code: wechat.newCode(openid) } });
      return body.session.token as string;
    };
    await sessionOf("openid-of-another");
    const { body } = await show(await sessionOf("openid-of-mine"));
    expect(rowOf(body.rows, "wechat_accounts")).toEqual([
      {
        openid: "openid-of-mine",
        unionid: null,
        user_id: rowOf(body.rows, "users")[0]?.id,
        session_key_at: expect.any(Number),
        app_id: "hidden",
        session_key_sealed: "hidden",
        user_info_sealed: "hidden",
      },
    ]);
    expect(JSON.stringify(body)).not.toContain("openid-of-another");
  });

  it("requests are counted, and the connections to the database that served them", async () => {
    const { token } = await house.guest();
    const first = (await show(token)).body.environment;
    const second = (await show(token)).body.environment;
    expect(second.requests).toBe(first.requests + 1);
    expect(second.since).toBe(first.since);
    expect(second.connections).toBeGreaterThanOrEqual(1);
    expect(second.connections).toBeLessThanOrEqual(second.requests);
    expect(second.connection).toBeLessThanOrEqual(second.connections);
  });

  it("strangers, and sessions that have ended, see nothing", async () => {
    expect((await show()).body.code).toBe("SESSION_MISSING");
    const guest = await house.guest();
    await guest.http("DELETE", "/session");
    expect((await show(guest.token)).body.code).toBe("SESSION_ENDED");
  });

  it("there is no such route without the setting EXAMPLES", async () => {
    const { token } = await house.guest();
    Object.assign(house.app.config, { examples: false });
    const { status, body } = await show(token);
    Object.assign(house.app.config, { examples: true });
    expect([status, body.code]).toEqual([404, "ROUTE_UNKNOWN"]);
  });
});

/** Tokens and sessions: their shape, the refusal of a changed one, and their end. */
import { makeRandom } from "../../functions/_app.ts";
import type { App } from "../../shared/app.ts";
import { readConfig } from "../../shared/config.ts";
import { Forbidden, SessionEnded, SessionExpired, SessionInvalid, SessionMissing } from "../../shared/errors.ts";
import { makeSecrets } from "../../shared/secrets.ts";
import {
  claimOf,
  claimOfToken,
  type Kind,
  newToken,
  type Session,
  sessionView,
  staffOf,
  verifyClaim,
} from "../../shared/sessions/session.ts";
import { type Engine, onEveryDialect } from "../_engines.ts";
import { type House, openHouse, testKeys } from "../_house.ts";

const now = Date.UTC(2026, 10, 21, 10);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What tokens need of an app. */
const app = {
  config: readConfig({ ...testKeys, DATABASE_URL: "pglite:" }),
  random: makeRandom({ now: () => now, sleep: async () => {} }),
  secrets: makeSecrets(testKeys.SIGNING_KEY, undefined),
} as unknown as App;

const make = (kind: Kind = "guest") => {
  const [user, session] = [app.random.id(), app.random.id()];
  const { token, hash } = newToken(app, kind, user, session);
  const row = {
    id: session,
    user_id: user,
    kind,
    token_hash: hash,
    shop_id: kind === "staff" ? "noodle-house" : null,
    role: kind === "staff" ? "kitchen" : null,
    device: null,
    created_at: now,
    expires_at: now + dayMs,
    ended_at: null,
  };
  return { user, session, token, hash, row };
};

describe("a token", () => {
  it.each(["wechat", "guest", "staff"] as const)(
    "of kind %s names its kind, user and session, and nothing else",
    (kind) => {
      const { user, session, token, hash } = make(kind);
      expect(token).toMatch(/^ob[wgso]_[0-9A-HJKMNP-TV-Z]{52}[A-Za-z0-9_-]{32}$/);
      expect(token.slice(0, 56)).toBe(`ob${kind[0]}_${user}${session}`);
      expect(claimOfToken(app, token)).toEqual({ kind, user, session, hash });
      expect(hash).not.toContain(token.slice(-32));
    },
  );

  it("is another one each time, by its secret alone", () => {
    const secrets = Array.from({ length: 200 }, () =>
      newToken(app, "guest", "U".repeat(26), "S".repeat(26)).token.slice(-32),
    );
    expect(new Set(secrets).size).toBe(200);
  });

  it("is read from the header however the scheme is written", () => {
    const { token, session } = make();
    for (const header of [`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token}`])
      expect(claimOf(app, header).session).toBe(session);
  });

  it("is reported when it is missing, or malformed", () => {
    const { token } = make();
    expect(() => claimOf(app, undefined)).toThrow(SessionMissing);
    const wrong = [
      "",
      token,
      `Basic ${token}`,
      "Bearer",
      "Bearer ",
      `Bearer ${token} x`,
      `Bearer${token}`,
      ` Bearer ${token}`,
    ];
    for (const header of wrong) expect(() => claimOf(app, header)).toThrow(SessionInvalid);
    for (const bad of [
      token.slice(0, -1),
      `${token}A`,
      token.replace("obg_", "obx_"),
      token.toLowerCase(),
      `${token}\n`,
      token.replace(/.$/, "="),
    ])
      expect(() => claimOfToken(app, bad)).toThrow(SessionInvalid);
  });
});

describe("a claimed session", () => {
  it("is verified against its row", () => {
    const { token, row, user, session } = make("staff");
    expect(verifyClaim(claimOfToken(app, token), row, now)).toEqual({
      id: session,
      user,
      kind: "staff",
      shop: "noodle-house",
      role: "kitchen",
      device: null,
      createdAt: now,
      expiresAt: now + dayMs,
    });
  });

  it("is refused with any character changed", () => {
    const { token, row } = make();
    for (let at = 0; at < token.length; at++) {
      for (const other of ["A", "0", "s"]) {
        if (token[at] === other) continue;
        const forged = token.slice(0, at) + other + token.slice(at + 1);
        expect(() => verifyClaim(claimOfToken(app, forged), row, now)).toThrow(SessionInvalid);
      }
    }
  });

  it("is refused against another row, or none", () => {
    const { token, row } = make();
    const other = make();
    const claim = claimOfToken(app, token);
    expect(() => verifyClaim(claim, undefined, now)).toThrow(SessionInvalid);
    expect(() => verifyClaim(claim, other.row, now)).toThrow(SessionInvalid);
    // A secret does not serve another user, nor another kind.
    expect(() => verifyClaim(claim, { ...row, user_id: other.user }, now)).toThrow(SessionInvalid);
    expect(() => verifyClaim(claim, { ...row, kind: "staff" }, now)).toThrow(SessionInvalid);
    expect(() => verifyClaim(claim, { ...row, token_hash: other.hash }, now)).toThrow(SessionInvalid);
  });

  it("is called ended or expired only to whoever has the secret", () => {
    const { token, row } = make();
    const claim = claimOfToken(app, token);
    expect(() => verifyClaim(claim, { ...row, ended_at: now - 1 }, now)).toThrow(SessionEnded);
    expect(() => verifyClaim(claim, { ...row, expires_at: now }, now)).toThrow(SessionExpired);
    expect(verifyClaim(claim, { ...row, expires_at: now + 1 }, now).expiresAt).toBe(now + 1);
    const forged = { ...claim, hash: make().hash };
    for (const over of [{ ended_at: now - 1 }, { expires_at: now - 1 }])
      expect(() => verifyClaim(forged, { ...row, ...over }, now)).toThrow(SessionInvalid);
  });
});

describe("a staff session", () => {
  const session = (more: Partial<Session> = {}): Session => ({
    id: "S",
    user: "U",
    kind: "staff",
    shop: "noodle-house",
    role: "cashier",
    device: "tablet",
    createdAt: now,
    expiresAt: now + dayMs,
    ...more,
  });

  it("is of one shop and has a role", () => {
    expect(staffOf(session(), "noodle-house")).toEqual(session());
    expect(staffOf(session(), "noodle-house", ["owner", "cashier"]).role).toBe("cashier");
    expect(() => staffOf(session(), "noodle-house", ["owner"])).toThrow(Forbidden);
    expect(() => staffOf(session(), "tea-house")).toThrow(Forbidden);
    expect(() => staffOf(session({ role: null }), "noodle-house")).toThrow(Forbidden);
    for (const kind of ["guest", "wechat"] as const)
      expect(() => staffOf(session({ kind }), "noodle-house")).toThrow(Forbidden);
  });

  it("is shown without its secrets", () => {
    expect(sessionView(session())).toEqual({
      id: "S",
      kind: "staff",
      user: { id: "U" },
      shop: "noodle-house",
      role: "cashier",
      device: "tablet",
      createdAt: "2026-11-21T10:00:00.000Z",
      expiresAt: "2026-11-22T10:00:00.000Z",
    });
  });
});

onEveryDialect((engine: Engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine);
  });
  afterAll(() => house.close());

  const codeOf = async (token: string) => {
    const { status, body } = await house.http("GET", "/session", { token });
    return [status, body.code];
  };

  it("is extended by use, and ends without", async () => {
    const [used, unused] = [await house.guest(), await house.guest()];
    const until = async () => Date.parse((await used.http("GET", "/session")).body.session.expiresAt);
    const first = await until();
    house.clock.forward(hourMs);
    // Written at most once a day.
    expect(await until()).toBe(first);
    house.clock.forward(4 * dayMs);
    expect(await until()).toBeGreaterThan(first + 4 * dayMs);
    house.clock.forward(4 * dayMs);
    expect(await codeOf(unused.token)).toEqual([401, "SESSION_EXPIRED"]);
    expect((await codeOf(used.token))[0]).toBe(200);
    house.clock.forward(8 * dayMs);
    expect(await codeOf(used.token)).toEqual([401, "SESSION_EXPIRED"]);
  });

  it("is not revived once it has ended", async () => {
    const guest = await house.guest();
    expect((await guest.http("DELETE", "/session")).status).toBe(204);
    expect(await codeOf(guest.token)).toEqual([401, "SESSION_ENDED"]);
    const order = await guest.order();
    expect([order.status, order.body.code]).toEqual([401, "SESSION_ENDED"]);
  });

  it("is not opened by another token", async () => {
    const [one, other] = [await house.guest(), await house.guest()];
    const mixed = one.token.slice(0, 56) + other.token.slice(56);
    expect(await codeOf(mixed)).toEqual([401, "SESSION_INVALID"]);
    const order = await house.http("POST", "/bill", {
      token: mixed,
      body: { shop: house.shop, lines: [{ dish: "tea", quantity: 1 }], service: "pickup" },
      headers: { "idempotency-key": "a-key-of-its-own" },
    });
    expect([order.status, order.body.code]).toEqual([401, "SESSION_INVALID"]);
  });
});

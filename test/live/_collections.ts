/** An app with collections on a database of its own, without a server; and its callers. */
import { makeApp, printedLog } from "../../functions/_app.ts";
import type { App } from "../../shared/app.ts";
import { readConfig } from "../../shared/config.ts";
import type { Gateway } from "../../shared/gateway.ts";
import type { Caller } from "../../shared/live/caller.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import type { Engine, TestDatabase } from "../_engines.ts";
import { TestClock, testKeys } from "../_house.ts";

/** Nobody listens: what is pushed is another test's matter. */
const silent: Gateway = {
  renew: async () => {},
  subscribe: async () => "subscribed",
  unsubscribe: async () => {},
  subscribers: () => [],
  publish: async () => ({ readers: 0, sent: 0, gone: 0 }),
  publishEach: async () => ({ readers: 0, sent: 0, gone: 0 }),
  send: async () => "sent",
  close: async () => {},
};

export interface Shelf {
  readonly app: App;
  readonly db: TestDatabase;
  readonly clock: TestClock;
  /** The same database with another declaration: another process. */
  declared(text: string): App;
  close(): Promise<void>;
}

/** @param text the declaration */
export async function openShelf(engine: Engine, text: string): Promise<Shelf> {
  const db = await engine.open();
  const clock = new TestClock();
  const declared = (yaml: string): App => {
    const { collections, errors } = parseCollections(yaml);
    if (errors.length > 0) throw new Error(errors.join("; "));
    const config = readConfig({ ...testKeys, DATABASE_URL: "pglite:", LOG_LEVEL: "silent" });
    return makeApp({
      config: { ...config, collections },
      db,
      gateway: silent,
      invoke: async () => {},
      clock,
      log: printedLog("silent"),
    });
  };
  return { app: declared(text), db, clock, declared, close: () => db.remove() };
}

export const someone = (uid: string): Caller => ({
  auth: { uid, openid: null, loginType: "ANONYMOUS" },
  session: {
    id: `session-of-${uid}`,
    user: uid,
    kind: "guest",
    shop: null,
    role: null,
    device: null,
    createdAt: 0,
    expiresAt: Number.MAX_SAFE_INTEGER,
  },
});

export const me = someone("me");
export const you = someone("you");
export const nobody: Caller = { auth: null, session: undefined };
export const admin: Caller = {
  ...someone("admin"),
  auth: { uid: "admin", openid: null, loginType: "KEY", isAdmin: true },
};

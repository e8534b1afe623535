/** The one place where the parts are put together. */
import { randomBytes } from "node:crypto";
import { ulid } from "ulid";
import type { Gateway } from "../apigateway/gateway.ts";
import type { Database } from "../db/database.ts";
import type { App, Clock, Invoke, Random } from "../shared/app.ts";
import type { Config } from "../shared/config.ts";
import type { Files } from "../shared/files.ts";
import { makeLog } from "../shared/log.ts";
import { holdMenus } from "../shared/menu.ts";
import type { Pages } from "../shared/page_files.ts";
import { makeSecrets } from "../shared/secrets.ts";
import { makeOrders } from "../shared/store_orders.ts";
import type { Wechat } from "../shared/wechat.ts";

export interface Parts {
  readonly config: Config;
  readonly db: Database;
  readonly gateway: Gateway;
  readonly invoke: Invoke;
  /** Only functions that talk to WeChat have it. */
  readonly wechat?: Wechat;
  /** Only the function that hands out places for pictures has them. */
  readonly files?: Files;
  /** Only the cloud's function of the pages has them; this machine serves them without a function. */
  readonly pages?: Pages;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly write?: (line: string) => void;
}

/** An app out of its parts. Everything that is not given is the real thing of this machine. */
export function makeApp(parts: Parts): App {
  const { config, db, gateway, invoke, files = noFiles, pages = noPages, wechat = noWechat } = parts;
  const clock = parts.clock ?? systemClock;
  const random = parts.random ?? makeRandom(clock);
  const write = parts.write ?? ((line: string) => void process.stdout.write(line));
  const app: App = {
    config,
    db,
    gateway,
    files,
    pages,
    invoke,
    wechat,
    clock,
    random,
    secrets: makeSecrets(config.signingKey, config.wechatKey),
    log: makeLog(config.logLevel, clock.now, write),
    menus: holdMenus(db),
    orders: makeOrders(() => app, config.limits.batch),
  };
  return app;
}

const noWechat: Wechat = {
  codeToSession() {
    throw new TypeError("this function does not talk to WeChat");
  },
};

const noFiles: Files = {
  upload() {
    throw new TypeError("this function has no place for files");
  },
  urlOf: (path) => `/pictures/${path}`,
};

const noPages: Pages = {
  find: () => undefined,
  picture() {
    throw new TypeError("this function has no pictures");
  },
};

export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      }
      if (signal?.aborted) done();
      else signal?.addEventListener("abort", done);
    }),
};

export function makeRandom(clock: Clock): Random {
  const fraction = () => randomBytes(4).readUInt32LE() / 2 ** 32;
  return {
    id: () => ulid(clock.now(), fraction),
    secret: (bytes) => randomBytes(bytes).toString("base64url"),
    tag: () => randomBytes(6).toString("base64url"),
    fraction,
  };
}

/** One file, one function: its handler gets the app that the caller has, or the cloud's own. */
export interface Handler<Event, Answer> {
  /** What a gateway of this machine or a test calls. */
  on(app: App): (event: Event) => Promise<Answer>;
}

export function handlerOf<Event, Answer>(
  serve: (app: App) => (event: Event) => Promise<Answer>,
): Handler<Event, Answer> {
  return { on: serve };
}

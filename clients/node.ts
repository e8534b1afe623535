/** The SDK's platform on Node: fetch and `ws`. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { asGuest, type Client, type ClientOptions, makeClient } from "./client.ts";
import { memoryStore, type Platform, type Reason, type Store } from "./platform.ts";

export * from "./index.ts";

export interface NodeOptions extends ClientOptions {
  url: string;
  /** The caller's store, such as `fileStore(path)`; the default is memory, which ends with the process. */
  store?: Store;
}

/** A client for a process: another back end, a printer, a test. */
export function createClient({ guest = true, store, ...options }: NodeOptions): Client {
  return makeClient(nodePlatform(store), { begin: guest && asGuest, ...options });
}

/**
 * A store on disk, for one user of the system. Each item is a file that is replaced as a whole and flushed, so several processes may
 * share a folder, and a crash leaves the old value or the new one.
 * @param path a folder, which is made if it is not there (0700, its files 0600) @throws Node's errors, which name the file
 */
export function fileStore(path: string): Store {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const suffix = ".json";
  const fileOf = (name: string) => join(path, encodeURIComponent(name) + suffix);
  return {
    get(name) {
      try {
        return readFileSync(fileOf(name), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    set(name, value) {
      const made = join(path, `${randomUUID()}.new`);
      try {
        writeFileSync(made, value, { mode: 0o600, flush: true });
        renameSync(made, fileOf(name));
      } catch (error) {
        rmSync(made, { force: true });
        throw error;
      }
    },
    remove: (name) => rmSync(fileOf(name), { force: true }),
    names: () =>
      readdirSync(path)
        .filter((file) => file.endsWith(suffix))
        .map((file) => decodeURIComponent(file.slice(0, -suffix.length))),
  };
}

/** @param store the caller's; the default is memory, which ends with the process */
export function nodePlatform(store: Store = memoryStore()): Platform {
  return {
    socket(url, protocols, on) {
      const socket = new WebSocket(url, protocols);
      let over = false;
      const close = (reason: Reason) => {
        if (!over) on.close(reason);
        over = true;
      };
      socket.on("open", on.open);
      socket.on("message", (data) => on.message(data.toString()));
      socket.on("close", (code, reason) => close({ code, reason: reason.toString() }));
      socket.on("error", (error) => close({ error }));
      return { send: (text) => socket.send(text), close: () => socket.close() };
    },
    async request({ method, url, headers, body, timeoutMs }) {
      const init = { method, headers, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body }) };
      const answer = await fetch(url, init).catch((error) => {
        // "fetch failed", and its cause says why.
        throw error.cause ?? error;
      });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    },
    store,
    now: Date.now,
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    log(what, about) {
      if (what === "error") console.error(about);
    },
    onChange: () => () => {},
  };
}

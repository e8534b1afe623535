/**
 * CloudBase's own client, `@cloudbase/js-sdk` as it is published, in Node against a server of this machine.
 *
 * Nothing of it is replaced: it is configured by `registerHost`, as the developer of an app does.
 */
import cloudbase from "@cloudbase/js-sdk";
import { WebSocket } from "ws";

// Its Node build takes the global one, which Node has from 22 on.
globalThis.WebSocket ??= WebSocket as never;

/** `CLOUD_API`: everything by `POST /web`. `GATEWAY`: collections by REST, which is the default of 3.x. */
export type EndPointMode = "CLOUD_API" | "GATEWAY";
export const endPointModes: readonly EndPointMode[] = ["CLOUD_API", "GATEWAY"];

export interface ClientOptions {
  readonly endPointMode?: EndPointMode;
  /** A publishable key, with which nobody signs in. */
  readonly accessKey?: string;
  /** Two clients of one name are one person with one store; by default each client has its own. */
  readonly env?: string;
}

export type CloudbaseApp = cloudbase.app.App;
export type CloudbaseDatabase = cloudbase.database.App;

let made = 0;

/** @param server of which `url` is the address, such as a House */
export function openClient(server: { readonly url: string }, options: ClientOptions = {}): CloudbaseApp {
  const { endPointMode = "GATEWAY", accessKey } = options;
  made += 1;
  const env = options.env ?? `test-${process.pid}-${made}`;
  const app = cloudbase.init({ env, endPointMode, ...(accessKey === undefined ? {} : { accessKey }) });
  app.registerHost(new URL(server.url).host, "http");
  return app;
}

export interface SignedIn {
  readonly app: CloudbaseApp;
  readonly db: CloudbaseDatabase;
  /** The user's id, which its documents have as `_openid`. */
  readonly uid: string;
}

/** A client that has signed in anonymously. */
export async function signIn(server: { readonly url: string }, options: ClientOptions = {}): Promise<SignedIn> {
  const app = openClient(server, options);
  const { data, error } = await app.auth.signInAnonymously({});
  if (error !== null || data.user === null) throw new Error(`nobody signed in: ${JSON.stringify(error)}`);
  return { app, db: app.database(), uid: data.user.id };
}

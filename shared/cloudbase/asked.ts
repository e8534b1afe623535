/** A request of the action dialect, and what its actions have in common. */
import * as v from "valibot";
import type { App } from "../app.ts";
import { SessionMissing } from "../errors.ts";
import type { Caller } from "../live/caller.ts";
import * as shape from "../shape.ts";

export interface Asked {
  /** The whole body: an object. Members that an action does not know are left alone: each release sends others. */
  readonly body: unknown;
  /** As a header; the clients send their token in the body. */
  readonly authorization: string | undefined;
  readonly caller: () => Promise<Caller>;
  readonly address: string;
  /** Of this API, without a ticket. */
  readonly socketUrl: string;
  /** Of this API, as the caller knows it. */
  readonly origin: string;
  /** For the request's line in the log. */
  readonly notes: Record<string, string | number | boolean>;
}

/** @returns the answer's members beside `requestId` */
export type Act = (app: App, asked: Asked) => Promise<object>;
export type Acts = Readonly<Record<string, Act>>;

/** An action of a caller, whose members are checked. */
export function byCaller<S extends v.GenericSchema>(
  schema: S,
  run: (app: App, caller: Caller, ask: v.InferOutput<S>) => Promise<object>,
): Act {
  return async (app, { body, caller }) => run(app, await caller(), shape.parse(schema, body));
}

/** @throws SessionMissing where there is neither session nor key */
export function mustBeSomebody({ session, key }: Caller): void {
  if (session === undefined && key === undefined) throw new SessionMissing();
}

/** Of a collection. Which there are is said by the declaration. */
export const name = v.pipe(v.string(), v.minLength(1, "a collection's name"), v.maxLength(64, "a collection's name"));
export const transactionId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, "a transaction's id"));
/** Checked where it is used, as queries and documents are. */
export const anything = v.optional(v.unknown());
/** Without one all documents are meant. */
export const query = v.nullish(v.unknown(), {});
/** As the clients leave it out: absent or null. */
export const flag = v.nullish(v.boolean(), false);

/** Rights to read and write streams. A test compares the table with docs/protocol.md. */
import * as v from "valibot";
import { inOrderOf } from "../../db/by_keys.ts";
import type { Row } from "../../db/database.ts";
import { readVersions } from "../../db/rooms.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { GrantInvalid, StreamForbidden, StreamUnknown } from "../errors.ts";
import type { Grant } from "../gateway.ts";
import type { Role } from "../order_states.ts";
import type { StreamKind } from "../protocol.ts";
import { actsForShop, type Session } from "../sessions/session.ts";
import * as shape from "../shape.ts";

/** The caller as a stream's rights see it: staff of its shop by role, a key of its shop, a customer, anyone. */
export type Party = Role | "key" | "customer" | "anyone";

/** Kind of stream → who reads it, who writes to it by `publish` or `enter`, which call makes it. The server's own events are written with the change itself. */
export const streamTable: Readonly<
  Record<StreamKind, { reads: readonly (Party | "itself" | "granted")[]; writes: readonly "granted"[]; made: string }>
> = {
  shop: { reads: ["owner", "cashier", "kitchen", "key"], writes: [], made: "with the shop" },
  user: { reads: ["itself"], writes: [], made: "with its first event" },
  menu: { reads: ["anyone"], writes: [], made: "with the shop" },
  board: { reads: ["anyone"], writes: [], made: "with the shop" },
  room: { reads: ["granted"], writes: ["granted"], made: "POST /rooms" },
  presence: { reads: ["granted"], writes: ["granted"], made: "with its first event" },
};

/** Streams that exist with their first event: clients know their names before. */
export const isMadeLate = (kind: StreamKind) => kind === "user" || kind === "presence";

export function kindOf(stream: string): { kind: StreamKind; id: string } {
  if (!v.safeParse(shape.streamName, stream).success) throw new StreamUnknown(stream.slice(0, 80));
  const colon = stream.indexOf(":");
  return { kind: stream.slice(0, colon) as StreamKind, id: stream.slice(colon + 1) };
}

/** Whether the session may read the order of this row. */
export function mayRead(order: Row, session: Session): boolean {
  return actsForShop(session) ? order.shop_id === session.shop : order.user_id === session.user;
}

export const grantRights = ["read", "write"] as const;

const grantClaims = v.strictObject({
  room: shape.id,
  right: v.picklist(grantRights),
  /** Only this user may use the grant; without it any holder may. */
  user: v.optional(shape.ulid),
  /** The room's grant version at signing: raising it withdraws all grants. */
  version: v.number(),
  expiresAt: v.number(),
});
export type GrantClaims = v.InferOutput<typeof grantClaims>;

export interface Access {
  /** Undefined for a caller without one: public streams only. */
  readonly session: Session | undefined;
  readonly stream: string;
  readonly right: (typeof grantRights)[number];
  readonly grant: string | undefined;
  readonly now: number;
}

/**
 * Authorizes the access, or throws. Called at every resume and check, not only at the first: rights may have been revoked.
 * @returns the room's grant, where the access needs one
 * @throws StreamUnknown, StreamForbidden, GrantInvalid
 */
export async function authorize(app: App, access: Access): Promise<Grant | undefined> {
  const { session, stream, right } = access;
  const { kind, id } = kindOf(stream);
  if (kind === "room" || kind === "presence") return authorizeByGrant(app, id, access);
  if (right === "write") throw new StreamForbidden(stream);
  const allowed =
    kind === "menu" ||
    kind === "board" ||
    (kind === "user" && session?.user === id) ||
    (kind === "shop" && session !== undefined && actsForShop(session) && session.shop === id);
  if (!allowed) throw new StreamForbidden(stream);
  return undefined;
}

async function authorizeByGrant(
  app: App,
  room: string,
  { session, stream, right, grant, now }: Access,
): Promise<Grant> {
  const claims = grant === undefined ? undefined : app.secrets.verify(grant);
  if (!v.is(grantClaims, claims) || claims.room !== room || claims.expiresAt <= now) throw new GrantInvalid();
  if (claims.user !== undefined && claims.user !== session?.user) throw new GrantInvalid();
  if (right === "write" && claims.right !== "write") throw new StreamForbidden(stream);
  if ((await app.arrivals.add(versionsBatch, app, room)) !== claims.version) throw new GrantInvalid();
  return { version: claims.version, until: claims.expiresAt };
}

/** @returns the current version of each room's grants; undefined where there is no such room */
async function versionsBatch(
  { db }: App,
  rooms: readonly string[],
): Promise<PromiseSettledResult<number | undefined>[]> {
  const [rows] = await db.read([readVersions(db.dialect, [...new Set(rooms)])]);
  return inOrderOf(rooms, rows, "id").map((row) => fulfilled(row && Number(row.grant_version)));
}

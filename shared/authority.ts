/** Who may read and write which stream. The table stands in docs/protocol.md; a test compares the two. */
import * as v from "valibot";
import type { Database } from "../db/database.ts";
import { readRoom } from "../db/rooms.ts";
import { GrantInvalid, StreamForbidden, StreamUnknown } from "./errors.ts";
import type { StreamKind } from "./protocol.ts";
import type { Secrets } from "./secrets.ts";
import type { Role, Session } from "./session.ts";
import { id as idShape, streamName, ulid } from "./shape.ts";

/** Who stands before a stream: staff of that shop by role, other staff, a customer, nobody in particular. */
export type Party = Role | "customer" | "anyone";

/** kind of stream → who reads it, who writes to it by `publish`, which call makes it. Events of ours are written by the transaction that they are about. */
export const streamTable: Readonly<
  Record<StreamKind, { reads: readonly (Party | "itself" | "granted")[]; writes: readonly "granted"[]; made: string }>
> = {
  shop: { reads: ["owner", "cashier", "kitchen"], writes: [], made: "with the shop" },
  user: { reads: ["itself"], writes: [], made: "with its first event" },
  menu: { reads: ["anyone"], writes: [], made: "with the shop" },
  board: { reads: ["anyone"], writes: [], made: "with the shop" },
  room: { reads: ["granted"], writes: ["granted"], made: "POST /rooms" },
};

export function kindOf(stream: string): { kind: StreamKind; id: string } {
  if (!v.safeParse(streamName, stream).success) throw new StreamUnknown(stream.slice(0, 80));
  const colon = stream.indexOf(":");
  return { kind: stream.slice(0, colon) as StreamKind, id: stream.slice(colon + 1) };
}

export const grantRights = ["read", "write"] as const;

const grantClaims = v.strictObject({
  room: idShape,
  right: v.picklist(grantRights),
  /** Only for this user; without it for whoever holds the grant. */
  user: v.optional(ulid),
  /** The room's grant version when it was signed: raising it withdraws all. */
  version: v.number(),
  expiresAt: v.number(),
});
export type GrantClaims = v.InferOutput<typeof grantClaims>;

/**
 * Lets the session pass to the stream, or throws. Asked at every resume and check, not only at the first.
 * @param session undefined for a caller without one: public streams only
 * @throws StreamUnknown, StreamForbidden, GrantInvalid
 */
export async function admit(
  { db, secrets }: { db: Database; secrets: Secrets },
  session: Session | undefined,
  stream: string,
  right: "read" | "write",
  grant: string | undefined,
  now: number,
): Promise<void> {
  const { kind, id } = kindOf(stream);
  if (kind === "room") return admitByGrant({ db, secrets }, session, id, right, grant, now);
  if (right === "write") throw new StreamForbidden(stream);
  const allowed =
    kind === "menu" ||
    kind === "board" ||
    (kind === "user" && session?.user === id) ||
    (kind === "shop" && session?.kind === "staff" && session.shop === id);
  if (!allowed) throw new StreamForbidden(stream);
}

async function admitByGrant(
  { db, secrets }: { db: Database; secrets: Secrets },
  session: Session | undefined,
  room: string,
  right: "read" | "write",
  grant: string | undefined,
  now: number,
): Promise<void> {
  const claims = grant === undefined ? undefined : secrets.verify(grant);
  if (!v.is(grantClaims, claims) || claims.room !== room || claims.expiresAt <= now) throw new GrantInvalid();
  if (claims.user !== undefined && claims.user !== session?.user) throw new GrantInvalid();
  if (right === "write" && claims.right !== "write") throw new StreamForbidden(`room:${room}`);
  const [rows] = await db.read([readRoom(room)]);
  if (rows?.[0]?.grant_version !== claims.version) throw new GrantInvalid();
}

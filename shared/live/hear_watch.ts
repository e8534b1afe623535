/** What CloudBase's client says on its socket, and our own client on its: watches of collections, in the vendor's frames. */
import * as v from "valibot";
import { readConnection } from "../../db/connections.ts";
import type { App } from "../app.ts";
import { type AppError, ConnectionUnknown, InvalidInput } from "../errors.ts";
import { errorFrame } from "../frame.ts";
import { parseJson } from "../json.ts";
import type { Session } from "../sessions/session.ts";
import { renewHeartbeat } from "../streams/presence.ts";
import { heard } from "../streams/transmit.ts";
import { toAppError } from "../to_app_error.ts";
import { callerOfSession } from "./caller.ts";
import { maxWatched } from "./limits.ts";
import { countOf } from "./select.ts";
import { parseOrder } from "./sort.ts";
import { vendorError } from "./vendor_codes.ts";
import {
  checkFrame,
  envelopeOf,
  loginFrame,
  parseWatchMessage,
  pongFrame,
  type WatchEnvelope,
  type WatchMessage,
  watchErrorFrame,
} from "./watch_frames.ts";
import type { WatchSpec } from "./watch_port.ts";
import { watchesOf } from "./watches_of.ts";

/**
 * Handles a frame of this dialect.
 * @param gateway where the connection is, for one that is not stored @returns false when the frame is of another dialect
 */
export async function hearWatch(app: App, connection: string, text: string, gateway: string): Promise<boolean> {
  let input: unknown;
  try {
    input = parseJson(text);
  } catch {
    return false;
  }
  const envelope = envelopeOf(input);
  if (envelope === undefined) return false;
  const { msgType, watchId } = envelope;
  const work = () => serve(app, connection, input, envelope, gateway);
  // What is said of one watch is done in this order: closed while its list is being read, it must not come back.
  const inTurn = watchId !== undefined && msgType !== "CHECK_LAST";
  await (inTurn ? app.turns.run(`watch ${connection} ${watchId}`, work) : work());
  return true;
}

async function serve(
  app: App,
  connection: string,
  input: unknown,
  envelope: WatchEnvelope,
  gateway: string,
): Promise<void> {
  const send = (frame: string) => app.gateway.send(connection, frame, gateway);
  let known = false;
  try {
    const message = parseWatchMessage(input);
    const [rows = []] = await app.db.read([readConnection(connection)]);
    if (rows[0] === undefined) throw new ConnectionUnknown();
    known = true;
    const session = await heard(app, rows[0]);
    if (session.kind === "staff") await renewHeartbeat(app, connection);
    await answer(app, connection, session, message);
  } catch (error) {
    const refusal = toAppError(app, error);
    app.log.info("watch.refused", { connection, message: envelope.msgType, code: refusal.code });
    const isOut = refusal.status === 401 || refusal instanceof ConnectionUnknown;
    const frame = refusalFrame(envelope, refusal);
    if (frame !== undefined) await send(frame);
    else if (isOut) {
      if (known) await send(errorFrame(refusal));
      await app.gateway.close(connection, gateway);
    }
  }
}

/** What tells the client, if it waits for an answer. */
function refusalFrame({ msgType, requestId, watchId }: WatchEnvelope, refusal: AppError): string | undefined {
  const error = vendorError(refusal);
  // It may be tried again, which the client does when it hears nothing; of an error its watch would end.
  if (refusal.status === 503) return undefined;
  if (msgType === "LOGIN") return loginFrame(requestId, "", error);
  // The watch has not begun: without its id the app is told once, and with it twice.
  if (msgType === "INIT_WATCH") return watchErrorFrame(requestId, error);
  // It may be tried again, which the client does when it hears nothing; of an error its watch would end.
  if (msgType === "REBUILD_WATCH")
    return refusal.status >= 500 ? undefined : watchErrorFrame(requestId, error, watchId);
  if (msgType === "CHECK_LAST" || msgType === "PING" || msgType === "CLOSE_WATCH") return undefined;
  return watchErrorFrame(requestId, error);
}

async function answer(app: App, connection: string, session: Session, message: WatchMessage): Promise<void> {
  const { requestId } = message;
  switch (message.msgType) {
    case "LOGIN":
      await app.gateway.send(connection, loginFrame(requestId, message.msgData?.envId ?? ""));
      return;
    case "PING":
      await app.gateway.send(connection, pongFrame(requestId));
      return;
    case "CLOSE_WATCH":
      return watchesOf(app).close(app, connection, message.watchId);
    case "CHECK_LAST": {
      const { watchId, msgData } = message;
      const watch = { connection, watchId, queryId: msgData.queryID };
      const current = await watchesOf(app).check(app, watch, msgData.eventID);
      await app.gateway.send(connection, checkFrame({ watchId, requestId, queryId: msgData.queryID }, current));
      return;
    }
    case "INIT_WATCH": {
      const spec = specOf(app, message.msgData);
      const queryId = signed(app, spec, session);
      return open(app, session, { connection, watchId: message.watchId, requestId, queryId, spec, after: undefined });
    }
    case "REBUILD_WATCH": {
      const { queryID: queryId, eventID: after } = message.msgData;
      const spec = verified(app, queryId, session);
      return open(app, session, { connection, watchId: message.watchId, requestId, queryId, spec, after });
    }
  }
}

type Opened = Omit<Parameters<ReturnType<typeof watchesOf>["open"]>[1], "caller">;

async function open(app: App, session: Session, opened: Opened): Promise<void> {
  const { connection, watchId, after, spec } = opened;
  await watchesOf(app).open(app, { ...opened, caller: await callerOfSession(app, session) });
  const ids = { connection, session: session.id, watch: watchId, collection: spec.collection };
  if (after === undefined) app.log.info("watch", ids);
  else app.log.info("watch.rebuild", { ...ids, after });
}

type Asked = Extract<WatchMessage, { msgType: "INIT_WATCH" }>["msgData"];

/** @throws InvalidInput */
function specOf(app: App, { collName, query, orderBy, limit, sorts }: Asked): WatchSpec {
  const count = countOf(limit, "limit", 0, 1, maxWatched);
  const order = parseOrder(orderBy, "orderBy");
  return { collection: collName, query, order, limit: count === 0 ? undefined : count, sorts, at: app.clock.now() };
}

// --- The capability -------------------------------------------------------------------------------------------------

/** A watch must not end by itself. */
const validMs = 366 * 24 * 3_600_000;

const claims = v.object({
  watch: v.literal(1),
  user: v.string(),
  until: v.number(),
  collection: v.string(),
  query: v.string(),
  order: v.array(v.object({ path: v.string(), descending: v.boolean() })),
  limit: v.optional(v.number()),
  sorts: v.boolean(),
  at: v.number(),
});

const signed = (app: App, spec: WatchSpec, { user }: Session) =>
  app.secrets.sign({ watch: 1, user, until: spec.at + validMs, ...spec });

/** What a `queryID` says. @throws InvalidInput when it is not this user's, or not from here */
function verified(app: App, queryId: string, { user }: Session): WatchSpec {
  const found = v.safeParse(claims, app.secrets.verify(queryId));
  if (!found.success || found.output.user !== user || found.output.until <= app.clock.now())
    throw new InvalidInput("queryID", "is not one of this server's for this user");
  const { collection, query, order, limit, sorts, at } = found.output;
  return { collection, query, order, limit, sorts, at };
}

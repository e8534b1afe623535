/** Messages of a socket's client: resume, check, leave, publish, enter, exit, auth. Answers are frames to the same connection. */

import { inOrderOf } from "../../db/by_keys.ts";
import {
  moveConnection,
  openConnection,
  readConnectionsOfSession,
  readHolders,
  readSenders,
  removeConnections,
} from "../../db/connections.ts";
import type { Row } from "../../db/database.ts";
import { readSession } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { byHalves } from "../by_halves.ts";
import {
  type AppError,
  ConnectionUnknown,
  Forbidden,
  StreamUnknown,
  TooManyConnections,
  TooManyStreams,
} from "../errors.ts";
import { errorFrame, errorMessage, frameOf, numberIn, parseFrame } from "../frame.ts";
import type { Answering, Subscriber } from "../gateway.ts";
import type { ClientMessage, ServerMessage, StreamRequest } from "../protocol.ts";
import { aliveOf, claimOfToken, type Session, slide, verifyClaim } from "../sessions/session.ts";
import { redeemTicket } from "../sessions/tickets.ts";
import { toAppError } from "../to_app_error.ts";
import { logAcknowledged } from "./acknowledgements.ts";
import { authorize, isMadeLate, kindOf } from "./authority.ts";
import { type Backlog, readSince } from "./backlog.ts";
import { enter, exit } from "./members.ts";
import { endHeartbeat, heartbeat, renewHeartbeat } from "./presence.ts";
import { publishMessage } from "./room.ts";

// --- Register and unregister ---------------------------------------------------------------------------------------

/**
 * Registers a connection for the holder of the ticket. It opens with its first message: a push made before the gateway
 * has the answer of this call would be answered "gone".
 * @param beyondLimit of the session's connections: the oldest give way, or this one does @throws TicketInvalid, TooManyConnections
 */
export async function register(
  app: App,
  ticket: string,
  connection: string,
  gateway: string,
  beyondLimit: "evict" | "refuse" = "evict",
): Promise<Session> {
  const { session, connections } = await redeemTicket(app, ticket, connection, gateway);
  if (connections > app.config.limits.connectionsPerSession)
    await (beyondLimit === "evict" ? evictOldest : refuseSurplus)(app, session.id, connection);
  return session;
}

/** Closes a session's oldest connections beyond its limit. Among them are those whose disconnect was never reported. */
async function evictOldest(app: App, session: string, newest: string): Promise<void> {
  const limit = app.config.limits.connectionsPerSession;
  const [rows] = await app.db.read([readConnectionsOfSession(session)]);
  const surplus = rows.map(({ id }) => String(id)).filter((id, at) => at >= limit && id !== newest);
  for (const id of surplus) {
    await closeWithError(app, id, new TooManyConnections(limit));
    await unregister(app, id);
  }
}

/** Tabs of one page share a session, and a phone leaves dead sockets behind. */
const timesRefused = 5;

/**
 * For clients that come back at once whatever they are told: of two such that evict each other neither would ever rest. These take
 * nobody's place, may be more, and the newest is refused.
 * @throws TooManyConnections
 */
async function refuseSurplus(app: App, session: string, newest: string): Promise<void> {
  const limit = app.config.limits.connectionsPerSession * timesRefused;
  const [rows] = await app.db.read([readConnectionsOfSession(session)]);
  // The newest is first. Of several that come at once only those are refused that are too many.
  const older = rows.length - 1 - rows.findIndex(({ id }) => id === newest);
  if (older < limit) return;
  await unregister(app, newest);
  throw new TooManyConnections(limit);
}

/** Removes the connection. It need not be called: rows expire, and a push to a closed connection finds it gone. */
export function unregister(app: App, connection: string): Promise<Holder | undefined> {
  return app.arrivals.add(unregisterBatch, app, connection);
}

/** Whose connection it was. */
export interface Holder {
  readonly session: string;
  readonly isStaff: boolean;
}

/** Sockets often close together: a network goes, or a proxy. @returns the holder of each connection that was there */
function unregisterBatch(app: App, batch: readonly string[]): Promise<PromiseSettledResult<Holder | undefined>[]> {
  const graceUntil = app.clock.now() + app.config.rooms.graceMs;
  return byHalves(batch, async (connections) => {
    const { dialect } = app.db;
    const statements = [readHolders(dialect, connections), ...removeConnections(dialect, connections, graceUntil)];
    const { rows } = await app.db.flight({ statements, repeatable: true });
    return inOrderOf(connections, rows[0] ?? [], "connection_id").map((row) =>
      fulfilled(row === undefined ? undefined : { session: String(row.id), isStaff: row.kind === "staff" }),
    );
  });
}

/** Sends the error, then closes: not every gateway can close with a reason. */
async function closeWithError(app: App, connection: string, error: AppError): Promise<void> {
  await app.gateway.send(connection, errorFrame(error));
  await app.gateway.close(connection);
}

// --- Transmit ------------------------------------------------------------------------------------------------------

/** Handles one frame of a client and answers by pushing. Only an error of the session (401) closes the connection. */
export async function transmit(app: App, connection: string, text: string): Promise<void> {
  let message: ClientMessage;
  try {
    message = parseFrame(text);
  } catch (error) {
    const number = numberIn(text);
    const about = number === undefined ? {} : { n: number };
    await app.gateway.send(connection, errorFrame(toAppError(app, error), about));
    return;
  }
  const row = await app.arrivals.add(readSendersBatch, app, connection);
  if (row === undefined) return closeWithError(app, connection, new ConnectionUnknown());
  try {
    const refresh = message.type === "auth" ? (row: Row) => refreshSession(app, row, message.token) : undefined;
    const session = await heard(app, row, refresh);
    const subscriber: Subscriber = { connection, session: session.id, until: session.expiresAt };
    // Only a client's message proves that it is alive: a push into a half-open socket succeeds for minutes.
    if (session.kind === "staff" && !asksForShop(message)) await renewHeartbeat(app, connection);
    for (const answer of await answersTo(app, subscriber, session, message))
      await app.gateway.send(connection, frameOf(answer));
  } catch (error) {
    const failure = toAppError(app, error);
    if (failure.status === 401) return closeWithError(app, connection, failure);
    await app.gateway.send(connection, errorFrame(failure, { n: message.n, ...subject(message) }));
  }
}

/** @returns the row of each connection, with its session */
async function readSendersBatch({ db }: App, ids: readonly string[]): Promise<PromiseSettledResult<Row | undefined>[]> {
  const [rows] = await db.read([readSenders(db.dialect, ids)]);
  return inOrderOf(ids, rows, "connection_id").map(fulfilled);
}

/**
 * The session of a connection that said something: the first message opens the connection.
 * @param row of `readConnection` @param refresh goes on under another session @throws SessionEnded, SessionExpired
 */
export async function heard(app: App, row: Row, refresh?: (row: Row) => Promise<Session>): Promise<Session> {
  const connection = String(row.connection_id);
  const now = app.clock.now();
  if (row.opened_at === null) await app.db.flight({ statements: [openConnection(connection, now)], repeatable: true });
  const session = refresh === undefined ? await slide(app, aliveOf(row, now), now) : await refresh(row);
  await app.gateway.renew({ connection, session: session.id, until: session.expiresAt });
  return session;
}

/** Such a message sends the heartbeat itself, in `read`. */
const asksForShop = (message: ClientMessage) =>
  (message.type === "resume" || message.type === "check") &&
  message.streams.some(({ stream }) => kindOf(stream).kind === "shop");

const subject = (message: ClientMessage) => ("id" in message ? { stream: message.stream, id: message.id } : {});

async function answersTo(
  app: App,
  subscriber: Subscriber,
  session: Session,
  message: ClientMessage,
): Promise<ServerMessage[]> {
  const { n } = message;
  switch (message.type) {
    case "resume":
    case "check":
      await read(app, subscriber, session, message);
      return [];
    case "leave":
      for (const stream of message.streams) {
        await app.gateway.unsubscribe(subscriber.connection, stream, n);
        if (kindOf(stream).kind === "shop") await endHeartbeat(app, subscriber.connection);
      }
      return [];
    case "publish": {
      const position = await publishMessage(app, session, message);
      return [{ type: "published", n, id: message.id, stream: message.stream, ...position }];
    }
    case "enter": {
      const checkMs = await enter(app, subscriber.connection, session, message);
      return [{ type: "entered", n, id: message.id, stream: message.stream, checkMs }];
    }
    case "exit":
      await exit(app, subscriber.connection, session, message);
      return [];
    case "auth":
      return [{ type: "authorized", n, until: new Date(session.expiresAt).toISOString() }];
  }
}

/** Continues the connection under a newer token of the same user with the same rights. */
async function refreshSession(app: App, row: Row, token: string): Promise<Session> {
  const claim = claimOfToken(app, token);
  const [rows] = await app.db.read([readSession(claim.session)]);
  const session = verifyClaim(claim, rows[0], app.clock.now());
  if (session.user !== row.user_id || session.kind !== row.kind || session.shop !== row.shop_id)
    throw new Forbidden("the token is of somebody else; connect anew with it");
  await app.db.flight({ statements: [moveConnection(String(row.connection_id), session.id)], repeatable: true });
  return session;
}

/**
 * Resume and check do the same: subscribe first, then read what the subscriber lacks. In the other order an event committed
 * in between would be lost. A check of a stream that the connection does not read thus becomes a resume.
 */
async function read(
  app: App,
  subscriber: Subscriber,
  session: Session,
  message: Extract<ClientMessage, { streams: StreamRequest[] }>,
): Promise<void> {
  const { n, type } = message;
  const { connection } = subscriber;
  const open = new Set<Subscribed>();
  try {
    for (const ask of message.streams) {
      const refused = await subscribe(app, subscriber, session, { n, ask });
      if (refused === undefined) open.add({ ask, answering: app.gateway.answering?.(connection, ask.stream, type) });
      else if (refused !== "left") await app.gateway.send(connection, frameOf(refused));
    }
    await answerAll(app, subscriber, message, open, session.kind === "staff");
  } finally {
    for (const { answering } of open) answering?.goOn();
  }
}

/** A stream that was subscribed, until its answer was sent. */
interface Subscribed {
  readonly ask: StreamRequest;
  readonly answering: Answering | undefined;
}

/** @returns undefined when the connection is subscribed now */
async function subscribe(
  app: App,
  { connection }: Subscriber,
  session: Session,
  { n, ask: { stream, grant } }: { n: number; ask: StreamRequest },
): Promise<ServerMessage | "left" | undefined> {
  try {
    const granted = await authorize(app, { session, stream, right: "read", grant, now: app.clock.now() });
    const outcome = await app.gateway.subscribe(connection, stream, n, granted);
    if (outcome === "full") throw new TooManyStreams(app.config.limits.streamsPerConnection);
    return outcome === "subscribed" ? undefined : "left";
  } catch (error) {
    await app.gateway.unsubscribe(connection, stream, n);
    return errorMessage(toAppError(app, error), { n, stream });
  }
}

/**
 * Reads what the subscriber lacks and sends it, one answer for each stream.
 * @param open those that are answered are taken out @param isScreen of staff, whose reading keeps the shop live
 */
async function answerAll(
  app: App,
  subscriber: Subscriber,
  { n, type }: { n: number; type: "resume" | "check" },
  open: Set<Subscribed>,
  isScreen: boolean,
): Promise<void> {
  const { connection } = subscriber;
  const asked = [...open];
  const backlogs = await Promise.all(asked.map(({ ask }) => readSince(app, ask)));
  for (const [at, { ask }] of asked.entries()) await app.pushes?.start(ask.stream, (backlogs[at] as Backlog).head);
  const current: (Subscribed & { seq: number; checkMs: number })[] = [];
  for (const [at, one] of asked.entries()) {
    const { ask, answering } = one;
    const { kind, id } = kindOf(ask.stream);
    const checkMs = kind === "shop" ? app.config.checkMs.shop : app.config.checkMs.other;
    const read = answerOf(ask.stream, backlogs[at] as Backlog, { n, checkMs });
    if (read.type === "error") await app.gateway.unsubscribe(connection, ask.stream, n);
    else if (kind === "shop" && isScreen) await heartbeat(app, connection, id);
    // From here to `goOn` in one turn: a push in between would be among the events, or come before them.
    const answer = type === "check" ? withoutSent(read, ask, answering) : read;
    logAnswer(app, subscriber, { type, from: ask.seq }, answer);
    if (type === "check" && answer.type === "resumed" && answer.events.length === 0 && ask.seq !== undefined) {
      current.push({ ...one, seq: answer.seq, checkMs });
      continue;
    }
    const sent = send(app, connection, frameOf(answer), answering);
    open.delete(one);
    answering?.goOn(answer.type === "error" ? undefined : { seq: answer.seq, more: isMore(answer) });
    await sent;
  }
  if (current.length === 0) return;
  const streams = current.map(({ ask: { stream }, seq, checkMs }) => ({ stream, seq, checkMs }));
  const sent = send(app, connection, frameOf({ type: "checked", n, streams }), current[0]?.answering);
  for (const { seq, answering } of current) answering?.goOn({ seq, more: false });
  open.clear();
  await sent;
}

async function send(app: App, connection: string, frame: string, answering: Answering | undefined): Promise<void> {
  if (answering === undefined) await app.gateway.send(connection, frame);
  else answering.send(frame);
}

type Answer = Extract<ServerMessage, { type: "resumed" | "reset" | "error" }>;

const isMore = (answer: Answer) => answer.type === "resumed" && answer.more;

/** Events that were pushed to the reader while it asked are on their way, and no gap. */
function withoutSent(answer: Answer, { seq: asked = 0 }: StreamRequest, answering: Answering | undefined): Answer {
  if (answer.type !== "resumed") return answer;
  const sent = answering?.sentUpTo(asked) ?? asked;
  if (sent <= asked) return answer;
  if (sent >= answer.seq) return { ...answer, events: [], more: false };
  return { ...answer, events: answer.events.filter(({ seq }) => seq > sent) };
}

function answerOf(stream: string, backlog: Backlog, { n, checkMs }: { n: number; checkMs: number }): Answer {
  if (backlog.head.epoch === "" && !isMadeLate(kindOf(stream).kind))
    return errorMessage(new StreamUnknown(stream), { n, stream });
  switch (backlog.kind) {
    case "current":
      return { type: "resumed", n, stream, ...backlog.head, events: [], more: false, head: backlog.head.seq, checkMs };
    case "events": {
      const { events, more, position } = backlog;
      return { type: "resumed", n, stream, ...position, events, more, head: backlog.head.seq, checkMs };
    }
    case "reset":
      return { type: "reset", n, stream, ...backlog.head, reason: backlog.reason };
  }
}

/** Logs each resume, reset and gap that a check found; a check without a gap is a heartbeat, and shows at `debug` only. */
function logAnswer(
  { gateway, log }: App,
  subscriber: Subscriber,
  { type, from }: { type: "resume" | "check"; from: number | undefined },
  answer: ServerMessage,
): void {
  if (answer.type !== "resumed" && answer.type !== "reset") return;
  const { connection, session } = subscriber;
  const ids = { connection, session, stream: answer.stream, n: answer.n, from };
  // Of another history the reader's number means nothing.
  if (answer.type === "reset") {
    log.info("reset", { ...ids, reason: answer.reason });
    return;
  }
  const { stream, seq, events, more } = answer;
  const reached = { ...ids, seq, events: events.length, more };
  if (type === "resume") log.info("resume", reached);
  else if (events.length > 0) log.info("gap", reached);
  else log.debug("check", reached);
  if (from !== undefined) logAcknowledged({ gateway, log }, subscriber, type, { stream, seq: from });
}

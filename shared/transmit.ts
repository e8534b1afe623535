/** What a client's message does: resume, check, leave, publish, auth. The answers are frames for the same connection. */
import type { Reader } from "../apigateway/gateway.ts";
import {
  moveConnection,
  openConnection,
  readConnection,
  readConnectionsOfSession,
  removeConnection,
} from "../db/connections.ts";
import type { Row } from "../db/database.ts";
import { readSession, redeem } from "../db/sessions.ts";
import { type Head, noHead } from "../db/streams.ts";
import type { App } from "./app.ts";
import { admit, kindOf } from "./authority.ts";
import { headsOf, readSince } from "./backlog.ts";
import { frameOf } from "./deliver.ts";
import {
  type AppError,
  ConnectionUnknown,
  Forbidden,
  StreamUnknown,
  TicketInvalid,
  TooManyConnections,
  TooManyStreams,
} from "./errors.ts";
import { numberIn, parseFrame } from "./frame.ts";
import type { Ask, ClientMessage, ServerMessage } from "./protocol.ts";
import { refusalOf } from "./refusal.ts";
import { publishMessage } from "./room.ts";
import { seen, unseen } from "./screen.ts";
import { aliveOf, claimOfToken, confirm, type Session, slide } from "./session.ts";

// --- Register and unregister ---------------------------------------------------------------------------------------

/**
 * Notes a connection for the bearer of the ticket. It opens with its first message: a push made before the gateway
 * knows the answer of this call would be answered "gone".
 * @throws TicketInvalid
 */
export async function register(app: App, ticket: string, connection: string, gateway: string): Promise<Session> {
  const now = app.clock.now();
  const { rows } = await app.db.flight({ statements: redeem(app.secrets.hash(ticket), connection, gateway, now) });
  const row = rows.at(-1)?.[0];
  if (row === undefined) throw new TicketInvalid();
  const session = aliveOf(row, now);
  await makeRoom(app, session.id, connection);
  return session;
}

/** A session has so many connections; beyond that the oldest give way. Those whose disconnect was never told go first. */
async function makeRoom(app: App, session: string, newest: string): Promise<void> {
  const limit = app.config.limits.connectionsPerSession;
  const [rows = []] = await app.db.read([readConnectionsOfSession(session)]);
  const surplus = rows.map(({ id }) => String(id)).filter((id, at) => at >= limit && id !== newest);
  for (const id of surplus) {
    await farewell(app, id, new TooManyConnections(limit));
    await unregister(app, id);
  }
}

/** Forgets the connection. Nothing depends on it being called: rows expire, and who is gone is found out by pushing. */
export async function unregister(app: App, connection: string): Promise<void> {
  await app.db.flight({ statements: removeConnection(connection), repeatable: true });
}

/** Says why and closes: the close itself cannot carry a reason on every gateway. */
async function farewell(app: App, connection: string, error: AppError): Promise<void> {
  await app.gateway.send(connection, frameOf(errorMessage(error)));
  await app.gateway.close(connection);
}

// --- Transmit ------------------------------------------------------------------------------------------------------

/** Serves one frame of a client. Answers by pushing; refusals are answers too, and only what ends the connection closes it. */
export async function transmit(app: App, connection: string, text: string): Promise<void> {
  const now = app.clock.now();
  let message: ClientMessage;
  try {
    message = parseFrame(text);
  } catch (error) {
    const number = numberIn(text);
    const refusal = errorMessage(refusalOf(app, error));
    await app.gateway.send(connection, frameOf(number === undefined ? refusal : { ...refusal, n: number }));
    return;
  }
  const [rows] = await app.db.read([readConnection(connection)]);
  const row = rows?.[0];
  if (row === undefined) return farewell(app, connection, new ConnectionUnknown());
  try {
    if (row.opened_at === null)
      await app.db.flight({ statements: [openConnection(connection, now)], repeatable: true });
    const session =
      message.type === "auth" ? await renewed(app, row, message.token) : await slide(app, aliveOf(row, now), now);
    const reader: Reader = { connection, session: session.id, until: session.expiresAt };
    await app.gateway.renew(reader);
    for (const answer of await answersTo(app, reader, session, message))
      await app.gateway.send(connection, frameOf(answer));
  } catch (error) {
    const refusal = refusalOf(app, error);
    if (refusal.status === 401) return farewell(app, connection, refusal);
    await app.gateway.send(connection, frameOf({ ...errorMessage(refusal), n: message.n, ...subject(message) }));
  }
}

const errorMessage = ({ code, message, retry }: AppError): ServerMessage & { type: "error" } => ({
  type: "error",
  code,
  message,
  retry,
});

const subject = (message: ClientMessage) =>
  message.type === "publish" ? { stream: message.stream, id: message.id } : {};

async function answersTo(app: App, reader: Reader, session: Session, message: ClientMessage): Promise<ServerMessage[]> {
  const { n } = message;
  switch (message.type) {
    case "resume":
    case "check":
      return read(app, reader, session, message);
    case "leave":
      for (const stream of message.streams) {
        await app.gateway.unsubscribe(reader.connection, stream, n);
        if (kindOf(stream).kind === "shop") await unseen(app, reader.connection);
      }
      return [];
    case "publish": {
      const position = await publishMessage(app, session, message);
      return [{ type: "published", n, id: message.id, stream: message.stream, ...position }];
    }
    case "auth":
      return [{ type: "authorized", n, until: new Date(session.expiresAt).toISOString() }];
  }
}

/** The connection goes on under a newer token of the same person with the same rights. */
async function renewed(app: App, row: Row, token: string): Promise<Session> {
  const claim = claimOfToken(app, token);
  const [rows] = await app.db.read([readSession(claim.session)]);
  const session = confirm(claim, rows?.[0], app.clock.now());
  if (session.user !== row.user_id || session.kind !== row.kind || session.shop !== row.shop_id)
    throw new Forbidden("the token is of somebody else; connect anew with it");
  await app.db.flight({ statements: [moveConnection(String(row.connection_id), session.id)], repeatable: true });
  return session;
}

/**
 * Resume and check are one thing: enter the reader, then look what it lacks. In this order, or an event committed in
 * between would be seen by nobody. A check for a stream that the connection does not hold so becomes a resume.
 */
async function read(
  app: App,
  reader: Reader,
  session: Session,
  message: Extract<ClientMessage, { streams: Ask[] }>,
): Promise<ServerMessage[]> {
  const { n, type } = message;
  const answers: ServerMessage[] = [];
  const entered: Ask[] = [];
  for (const ask of message.streams) {
    try {
      await admit(app, session, ask.stream, "read", ask.grant, app.clock.now());
      const outcome = await app.gateway.subscribe(reader.connection, ask.stream, n);
      if (outcome === "full") throw new TooManyStreams(app.config.limits.streamsPerConnection);
      if (outcome === "subscribed") entered.push(ask);
    } catch (error) {
      await app.gateway.unsubscribe(reader.connection, ask.stream, n);
      answers.push({ ...errorMessage(refusalOf(app, error)), n, stream: ask.stream });
    }
  }
  const heads = await headsOf(
    app,
    entered.map(({ stream }) => stream),
  );
  const current: { stream: string; seq: number; checkMs: number }[] = [];
  for (const ask of entered) {
    const { kind, id } = kindOf(ask.stream);
    const checkMs = kind === "shop" ? app.config.checkMs.shop : app.config.checkMs.other;
    const answer = await readOne(app, ask, heads.get(ask.stream) ?? noHead, n, checkMs);
    note(app, reader, type, answer);
    if (answer.type === "error") await app.gateway.unsubscribe(reader.connection, ask.stream, n);
    else if (kind === "shop") await seen(app, reader.connection, id);
    const nothingLacking = answer.type === "resumed" && answer.events.length === 0;
    if (type === "check" && nothingLacking && ask.seq !== undefined)
      current.push({ stream: ask.stream, seq: answer.seq, checkMs });
    else answers.push(answer);
  }
  if (current.length > 0) answers.push({ type: "checked", n, streams: current });
  return answers;
}

async function readOne(
  app: App,
  ask: Ask,
  head: Head,
  n: number,
  checkMs: number,
): Promise<Extract<ServerMessage, { type: "resumed" | "reset" | "error" }>> {
  const { stream } = ask;
  // A user's stream begins with its first event; the others are made before anybody can ask for them.
  if (head.epoch === "" && kindOf(stream).kind !== "user")
    return { ...errorMessage(new StreamUnknown(stream)), n, stream };
  const backlog = await readSince(app, ask, head);
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

/** A line for whoever resumes, for a check that found a gap, and for who must begin anew; none for a check that lacks nothing. */
function note({ log }: App, reader: Reader, type: "resume" | "check", answer: ServerMessage): void {
  if (answer.type !== "resumed" && answer.type !== "reset") return;
  const ids = { connection: reader.connection, session: reader.session, stream: answer.stream, n: answer.n };
  if (answer.type === "reset") log.info("reset", { ...ids, reason: answer.reason });
  else if (type === "resume" || answer.events.length > 0)
    log.info(type === "resume" ? "resume" : "gap", {
      ...ids,
      seq: answer.seq,
      events: answer.events.length,
      more: answer.more,
    });
}

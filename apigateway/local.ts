/** Gateway adapter for this machine, in the same process. Subscriptions are in memory, rights in the database. */
import { readKnownConnections } from "../db/connections.ts";
import type { Database } from "../db/database.ts";
import { maxLives, readLives } from "../db/sessions.ts";
import { ConnectionUnknown } from "../shared/errors.ts";
import type { Gateway } from "../shared/gateway.ts";
import type { Log } from "../shared/log.ts";
import { type Connection, type Connections, closeWithError } from "./local/connections.ts";
import { frameBatch } from "./local/frame_batch.ts";
import { pushQueue } from "./local/push_queue.ts";
import { isPublic, readerRights, roomsOf, sessionsOf } from "./local/rights.ts";
import type { Subscription } from "./local/subscription.ts";

export interface LocalOptions {
  readonly connections: Connections;
  readonly db: Database;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

/** Connections that one call of `verify` checks; the next call continues after them. */
const verifiesPerCall = 1_000;
/** Frames sent before other work of the event loop gets its turn. */
const sendsPerTurn = 1_000;

export function localGateway({ connections, db, now, sleep, log }: LocalOptions): Gateway {
  const push = pushQueue({ connections, sleep, log });
  const rights = readerRights({ connections, db, now, verifiedSince: () => verifiedSince, push });

  /** Connections that this pass has still to verify. A connection that opened during the pass was verified by that. */
  let toVerify: Connection[] = [];
  let passBegan = now();
  let verifiedSince = passBegan;
  function nextToVerify(): Map<Connection, string> {
    if (toVerify.length === 0) {
      verifiedSince = passBegan;
      passBegan = now();
      toVerify = [...connections.all()];
    }
    return sessionsOf(toVerify.slice(-verifiesPerCall));
  }

  return {
    async renew({ connection, session, until }) {
      const known = connections.get(connection);
      if (known !== undefined) Object.assign(known, { session, until });
    },
    subscribe: async (connection, stream, number, grant) => connections.subscribe(connection, stream, number, grant),
    unsubscribe: async (connection, stream, number) => connections.unsubscribe(connection, stream, number),
    // The few readers of a kitchen or a customer are read in the trip of the commit; those of a room in `publish`, once
    // for all that is pushed at a time.
    subscribers(streams) {
      const few = streams.filter((stream) => !isPublic(stream) && roomsOf(stream).length === 0);
      const readers = few.flatMap((stream) => connections.readersOf(stream).map(({ connection }) => connection));
      const sessions = [...new Set(sessionsOf(readers).values())];
      return sessions.length === 0 ? [] : [readLives(sessions.slice(0, maxLives))];
    },
    async publish(stream, texts, subscribers, numbering) {
      const subscribed = connections.countReaders(stream);
      const readers = await rights.entitled(stream, subscribers);
      const frames = frameBatch(texts);
      const first = typeof numbering === "object" ? numbering.first : undefined;
      if (numbering === "anew") for (const reader of connections.readersOf(stream)) reader.restart();
      const perTurn = Math.ceil(sendsPerTurn / Math.max(1, texts.length));
      let sent = 0;
      for (const [nth, reader] of readers.entries()) {
        if (nth > 0 && nth % perTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        if (!reader.active) continue;
        const due = reader.take(frames, first);
        if (due === undefined || push(reader.connection, due) === "sent") sent++;
      }
      return { readers: subscribed, sent, gone: readers.length - sent };
    },
    async publishEach(frames) {
      const there = new Map<string, Connection>();
      for (const { connection } of frames) {
        const found = connections.get(connection);
        if (found !== undefined) there.set(connection, found);
      }
      const readers = await rights.alive([...there.values()]);
      let [sent, at] = [0, 0];
      for (const { connection, frame } of frames) {
        const reader = there.get(connection);
        if (reader === undefined || !readers.has(reader)) continue;
        if (at++ % sendsPerTurn === sendsPerTurn - 1) await new Promise((resolve) => setImmediate(resolve));
        if (push(reader, frameBatch([frame]), true) === "sent") sent++;
      }
      return { readers: there.size, sent, gone: frames.length - sent };
    },
    answering(connection, stream, type) {
      const reader = connections.subscription(connection, stream);
      const isHeld = reader?.hold(type) === true;
      return {
        sentUpTo: (seq) => reader?.sentUpTo(seq) ?? seq,
        send(frame) {
          if (reader === undefined) connections.send(connection, frame);
          else push(reader.connection, frameBatch([frame]));
        },
        goOn(answer) {
          for (const frames of reader?.goOn(isHeld, answer) ?? [])
            push((reader as Subscription<Connection>).connection, frames);
        },
      };
    },
    send: async (connection, frame) => connections.send(connection, frame),
    async close(connection) {
      connections.get(connection)?.socket.close(1000);
    },
    async verify() {
      const sessions = nextToVerify();
      const done = Math.max(0, toVerify.length - verifiesPerCall);
      if (sessions.size === 0) {
        toVerify.length = done;
        return;
      }
      const rooms = new Set([...sessions.keys()].flatMap(({ streams }) => [...streams.keys()].flatMap(roomsOf)));
      const { lives, versions } = await rights.read([...new Set(sessions.values())], [...rooms]);
      const [known = []] = await db.read([readKnownConnections([...sessions.keys()].map(({ id }) => id))]);
      const ids = new Set(known.map(({ id }) => String(id)));
      for (const [reader, session] of sessions) {
        // Another process, or the command line without one, has closed it.
        if (!ids.has(reader.id)) closeWithError(reader, new ConnectionUnknown());
        else if (rights.isAlive(reader, session, lives.get(session)))
          for (const [stream, subscription] of reader.streams)
            if (roomsOf(stream).some((room) => rooms.has(room))) rights.isGranted(subscription, stream, versions);
      }
      // Only now: after an error the same ones are verified again.
      toVerify.length = Math.min(toVerify.length, done);
    },
  };
}

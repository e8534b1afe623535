/** Messages on their way into a room: several at once, each naming the one before it, until each is answered. */
import { maxEventBytes, type ServerMessage } from "../../shared/protocol.ts";
import { ApiError, noAnswer } from "../api.ts";
import type { Channel } from "../channel.ts";
import { newId } from "../new_id.ts";
import { retryAfterMs } from "../retry.ts";
import { checkJson } from "./check_json.ts";
import type { Grants } from "./grants.ts";

export interface Publisher {
  _publish(data: unknown, id?: string): Promise<{ id: string; seq: number }>;
  /** Sends what waits to be sent. */
  _pump(): void;
  _receive(message: ServerMessage): void;
  /** The socket is lost: what has no answer is sent again on the next one. */
  _lost(): void;
  /** Nothing more is sent. */
  _close(error: ApiError): void;
}

interface Waiting {
  id: string;
  data: unknown;
  /** Whose it is, once it is known: another user does not send it. */
  user: string | undefined;
  /** When it was published, and when it was sent. */
  at: number;
  sentAt: number | undefined;
  grant: string | undefined;
  settle(answer: { seq: number } | ApiError): void;
}

/** Messages without an answer at one time. */
const maxSent = 8;
/** A message without an answer is sent again after this time, and given up after that. */
const sendAgainMs = 5_000;
const giveUpMs = 60_000;
/** One that overtook the message before it. */
const overtakenMs = 100;
const isId = /^[A-Za-z0-9._~:-]{1,64}$/;

export function makePublisher(
  { platform, send }: Channel,
  stream: string,
  grants: Grants,
  userOf: () => string | undefined,
): Publisher {
  let queue: Waiting[] = [];
  let pausedUntil = 0;
  let tries = 0;
  let closed: ApiError | undefined;

  function finish(one: Waiting, answer: { seq: number } | ApiError): void {
    queue = queue.filter((other) => other !== one);
    one.settle(answer);
  }

  /** The message and those that name it are to be sent again. They are refused as well: one pause is for all. */
  function again(from: Waiting, waitMs: number): void {
    for (const one of queue.slice(queue.indexOf(from))) one.sentAt = undefined;
    if (platform.now() < pausedUntil) return;
    tries += 1;
    pausedUntil = platform.now() + waitMs;
    platform.later(pump, waitMs);
  }

  function pump(): void {
    const now = platform.now();
    const user = userOf();
    for (const one of [...queue]) {
      one.user ??= user;
      if (user !== one.user && user) finish(one, new ApiError("SESSION_ENDED", 401, "another user has signed in"));
      else if (now >= one.at + giveUpMs) finish(one, new ApiError(noAnswer, 0, `${stream}: no answer`));
    }
    const grant = grants._now();
    if (!grant || now < pausedUntil) return;
    let after: string | undefined;
    for (const one of queue.slice(0, maxSent)) {
      if (one.sentAt === undefined || now >= one.sentAt + sendAgainMs) {
        if (!send({ type: "publish", stream, id: one.id, ...(after && { after }), grant, data: one.data })) return;
        one.sentAt = now;
        one.grant = grant;
      }
      after = one.id;
    }
  }

  function fail(one: Waiting, { code, message, retry }: ServerMessage & { type: "error" }): void {
    const error = new ApiError(code, 403, message);
    if (grants._refuse(one.grant, error)) {
      again(one, 0);
      grants._get().then(pump, close);
    } else if (!retry) {
      finish(one, error);
      pump();
    } else if (code === "PUBLISH_OUT_OF_ORDER") again(one, overtakenMs);
    else again(one, overtakenMs + retryAfterMs(tries + 1, platform));
  }

  function close(error: ApiError): void {
    closed = error;
    for (const one of queue) finish(one, error);
  }

  return {
    _publish: (data, id = newId(platform)) =>
      new Promise((resolve, reject) => {
        if (closed) throw closed;
        checkJson(data, maxEventBytes);
        if (!isId.test(id)) throw new ApiError("INVALID_INPUT", 400, "id: 1 to 64 of A-Z a-z 0-9 . _ ~ : -");
        const settle: Waiting["settle"] = (answer) =>
          answer instanceof Error ? reject(answer) : resolve({ id, seq: answer.seq });
        queue.push({ id, data, user: userOf(), at: platform.now(), sentAt: undefined, grant: undefined, settle });
        pump();
      }),
    _pump: pump,
    _receive(message) {
      if ((message.type !== "published" && message.type !== "error") || message.stream !== stream) return;
      const one = queue.find(({ id }) => id === message.id);
      if (!one) return;
      if (message.type === "error") return fail(one, message);
      tries = 0;
      grants._accept();
      finish(one, message);
      pump();
    },
    _lost() {
      for (const one of queue) one.sentAt = undefined;
    },
    _close: close,
  };
}

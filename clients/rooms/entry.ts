/** This client as a member of a room: says so again and again, and what has changed. */
import { maxMemberBytes, type ServerMessage } from "../../shared/protocol.ts";
import { ApiError } from "../api.ts";
import type { Channel } from "../channel.ts";
import { newId } from "../new_id.ts";
import { retryAfterMs } from "../retry.ts";
import { checkJson } from "./check_json.ts";
import type { Grants } from "./grants.ts";

export interface Entry {
  /** Changes fields of the data. */
  _update(me: object): void;
  /** Says it, if it is time. */
  _pump(): void;
  /** To be said at once: somebody else thinks that this member has left. */
  _again(): void;
  _receive(message: ServerMessage): void;
  /** The socket is lost: it is said again on the next one. */
  _lost(): void;
  /** Leaves the room. */
  _exit(): void;
}

/** Changes that come faster are said together. */
const togetherMs = 250;
/** Without an answer it is said again. */
const sayAgainMs = 3_000;

/** @param onError it is not said any more */
export function makeEntry(
  { platform, send }: Channel,
  stream: string,
  grants: Grants,
  me: object | undefined,
  onError: (error: ApiError) => void,
): Entry {
  const id = newId(platform);
  const begun = me && { ...me };
  let data = begun;
  /** What was said last, and what the server has taken. */
  let said: object | undefined;
  let taken: object | undefined;
  /** It was refused for good, until it is changed. */
  let isOff = false;
  let saidAt = 0;
  let dueAt = 0;
  let tries = 0;
  let isLeft = false;
  let used: string | undefined;
  /** It has changed since it was said. */
  let isChanged = false;

  function pump(): void {
    const now = platform.now();
    const grant = grants._now();
    if (!data || isOff || !grant || now < dueAt) return;
    try {
      checkJson(data, maxMemberBytes);
    } catch (error) {
      fail(error as ApiError, false);
      return;
    }
    if (!send({ type: "enter", stream, id, grant, data: data as Record<string, unknown> })) return;
    said = data;
    used = grant;
    saidAt = now;
    dueAt = now + sayAgainMs;
    isChanged = false;
  }

  function due(at: number): void {
    dueAt = at;
    platform.later(pump, at - platform.now());
  }

  function fail(error: ApiError, retry: boolean): void {
    if (grants._refuse(used, error)) {
      dueAt = 0;
      grants._get().then(pump, onError);
    } else if (retry) due(platform.now() + togetherMs + retryAfterMs(++tries, platform));
    else {
      // Others go on seeing what was taken before.
      isOff = !taken || error.code !== "EVENT_TOO_LARGE";
      data = taken ?? begun;
      isChanged = false;
      onError(error);
    }
  }

  return {
    _update(changes) {
      if (isLeft) return;
      data = { ...data, ...changes };
      isOff = false;
      if (isChanged) return;
      isChanged = true;
      due(Math.max(platform.now(), saidAt + togetherMs));
      pump();
    },
    _pump: pump,
    _again() {
      dueAt = 0;
      pump();
    },
    _receive(message) {
      if ((message.type !== "entered" && message.type !== "error") || message.stream !== stream || message.id !== id)
        return;
      if (message.type === "entered") {
        grants._accept();
        taken = said;
        tries = 0;
        if (!isChanged) dueAt = saidAt + message.checkMs;
      } else fail(new ApiError(message.code, 403, message.message), message.retry);
    },
    _lost() {
      dueAt = 0;
    },
    _exit() {
      const grant = grants._now();
      if (said && grant) send({ type: "exit", stream, id, grant });
      data = undefined;
      isLeft = true;
    },
  };
}

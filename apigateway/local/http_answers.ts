/** HTTP answers: those that API Gateway gives without a function, and writing of all answers. */
import type { ServerResponse } from "node:http";
import type { Log } from "../../shared/log.ts";
import { TooLarge } from "./bodies.ts";
import { CallerLeft, Overflow } from "./bulkhead.ts";
import { logFailed, TimedOut } from "./invoke.ts";
import type { Limits } from "./limits.ts";

type Headers = Readonly<Record<string, string>>;

export interface HttpAnswersOptions {
  readonly limits: Limits;
  readonly log: Log;
  readonly isStopping: () => boolean;
}

export interface HttpAnswers {
  /** Adds headers to the answer that will be written. `setHeader` would do it too, but then all others are set one by one. */
  add(response: ServerResponse, headers: Headers): void;
  write(response: ServerResponse, status: number, headers: Headers, body?: Buffer | string): void;
  json(response: ServerResponse, status: number, body: object, headers?: Headers): void;
  message(response: ServerResponse, status: number, message: string, headers?: Headers): void;
  /** @param name of the function that was called */
  error(response: ServerResponse, error: unknown, name?: string): void;
}

const added = Symbol("added");

type WithAdded = ServerResponse & { [added]?: Headers };

/** Whether the system has taken the whole answer. One that waits behind another answer has no socket yet. */
const isOut = ({ socket }: ServerResponse) => socket !== null && socket.writableLength === 0;

export function httpAnswers({ limits, log, isStopping }: HttpAnswersOptions): HttpAnswers {
  function write(response: ServerResponse, status: number, headers: Headers, body: Buffer | string = ""): void {
    if (response.headersSent || response.destroyed) return;
    const empty = status === 204 || status === 304;
    const more = (response as WithAdded)[added];
    response.writeHead(status, {
      ...more,
      ...headers,
      ...(more?.vary === undefined || headers.vary === undefined ? {} : { vary: `${more.vary}, ${headers.vary}` }),
      // An answer to HEAD has the length of what GET would give.
      ...(empty || headers["content-length"] !== undefined ? {} : { "content-length": Buffer.byteLength(body) }),
      ...(isStopping() ? { connection: "close" } : {}),
    });
    // Text leaves together with the headers, as one piece.
    response.end(empty ? undefined : body);
    if (isOut(response)) return;
    // A client that does not read must not keep the answer in memory.
    const slow = setTimeout(() => response.destroy(), limits.answerMs).unref();
    response.once("close", () => clearTimeout(slow));
  }

  function json(response: ServerResponse, status: number, body: object, headers: Headers = {}): void {
    write(response, status, { "content-type": "application/json", ...headers }, JSON.stringify(body));
  }

  const message = (response: ServerResponse, status: number, text: string, headers?: Headers) =>
    json(response, status, { message: text }, headers);

  /** 429: too much of one caller; 503: too much of all. */
  function overflow(response: ServerResponse, { own }: Overflow): void {
    const [status, text] = own ? [429, "Too Many Requests"] : [503, "Service Unavailable"];
    json(response, status, { message: text, code: "OVERLOADED" }, { "retry-after": "1" });
  }

  function error(response: ServerResponse, thrown: unknown, name?: string): void {
    if (thrown instanceof TooLarge) message(response, 413, "Request Entity Too Large");
    else if (thrown instanceof Overflow) overflow(response, thrown);
    else if (thrown instanceof CallerLeft) message(response, 503, "Service Unavailable", { "retry-after": "1" });
    else {
      logFailed(log, name, thrown);
      if (thrown instanceof TimedOut) message(response, 503, "Service Unavailable");
      else message(response, 500, "Internal Server Error");
    }
  }

  function add(response: WithAdded, headers: Headers): void {
    response[added] = response[added] === undefined ? headers : { ...response[added], ...headers };
  }

  return { add, write, json, message, error };
}

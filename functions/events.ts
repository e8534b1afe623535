/** The polling road: what the socket would have brought, by asking. */
import * as v from "valibot";
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import { ask } from "../shared/frame.ts";
import { poll } from "../shared/poll.ts";
import { authenticate } from "../shared/session.ts";
import { check, digits } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

/** A gateway gives a function 29 seconds. */
const maxWaitSec = 20;

const anything = v.string();

function askOf(request: HttpRequest) {
  return check(ask, {
    stream: request.query("stream", anything),
    epoch: request.query("epoch", anything),
    seq: request.query("after", digits(0, Number.MAX_SAFE_INTEGER)),
    tag: request.query("tag", anything),
    grant: request.header("x-grant"),
  });
}

export const events = http({
  "GET /events": async (app, request) => {
    const wanted = askOf(request);
    const waitMs = (request.query("wait", digits(0, maxWaitSec)) ?? 0) * 1_000;
    const session = request.authorization === undefined ? undefined : await authenticate(app, request.authorization);
    request.notes.stream = wanted.stream;
    return ok(await poll(app, session, wanted, waitMs));
  },
});

export const handler = handlerOf(events);

/** Polling: the events of a stream, where there is no socket. */
import * as v from "valibot";
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import { ask } from "../shared/frame.ts";
import * as shape from "../shared/shape.ts";
import { poll } from "../shared/streams/poll.ts";
import { signedIn } from "./_signed_in.ts";

/** More than POLL_WAIT_SEC allows: a longer wait is shortened, not refused. */
const maxWaitSec = 3_600;

const anything = v.string();

function askOf(request: HttpRequest) {
  return shape.parse(ask, {
    stream: request.query("stream", anything),
    epoch: request.query("epoch", anything),
    seq: request.query("after", shape.digits(0, Number.MAX_SAFE_INTEGER)),
    tag: request.query("tag", anything),
    grant: request.header("x-grant"),
  });
}

export const handler = http({
  "GET /events": async (app, request) => {
    const wanted = askOf(request);
    const waitMs = (request.query("wait", shape.digits(0, maxWaitSec)) ?? 0) * 1_000;
    const session = request.authorization === undefined ? undefined : await signedIn(app, request, "orders:read");
    Object.assign(request.notes, { stream: wanted.stream, from: wanted.seq });
    // Its id in the list of devices; the name that a person gave it stays out of the log.
    if (session?.kind === "staff") request.notes.device = session.id;
    const answer = await poll(app, { session, ask: wanted, waitMs, signal: request.signal });
    Object.assign(request.notes, { seq: answer.seq, events: answer.events?.length ?? 0 });
    return ok(answer);
  },
});

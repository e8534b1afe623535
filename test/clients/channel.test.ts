/** Rare cases of the channel, one by one, on a scripted socket. Random ones are in channel.model.test.ts. */
import { type ApiError, makeApi } from "../../clients/api.ts";
import { openChannel, type Subscription } from "../../clients/channel.ts";
import { memoryStore, type Platform, type SocketEvents } from "../../clients/platform.ts";
import type { ClientMessage, Position, ServerMessage, StreamEvent } from "../../shared/protocol.ts";

const stream = "shop:a";
const at = (seq: number, epoch = "e"): Position => ({ epoch, seq, tag: seq === 0 ? "" : `t${seq}` });
const event = (seq: number, tag = `t${seq}`, prev = at(seq - 1).tag): StreamEvent => ({
  seq,
  tag,
  prev,
  event: "message",
  at: "",
  data: seq,
});
const pushed = (seq: number, tag?: string): ServerMessage => ({
  type: "event",
  stream,
  epoch: "e",
  ...event(seq, tag),
});
const resumed = (to: number, events: StreamEvent[] = []): ServerMessage => ({
  type: "resumed",
  n: 1,
  stream,
  ...at(to),
  events,
  more: false,
  head: to,
  checkMs: 10_000,
});

type Answer = { status: number; body: unknown };

/** A channel with every string in the test's hand. */
function stage(answers: Record<string, () => Answer | Promise<Answer>> = {}) {
  let now = 1_000_000;
  const timers: { at: number; work: () => void }[] = [];
  const sockets: { on: SocketEvents; said: ClientMessage[]; closed: boolean }[] = [];
  const asked: string[] = [];
  const log: [what: string, about: unknown][] = [];
  let turn: (there: boolean) => void = () => {};
  const platform: Platform = {
    socket(_, __, on) {
      const socket = { on, said: [] as ClientMessage[], closed: false };
      sockets.push(socket);
      return {
        send: (text) => void socket.said.push(JSON.parse(text)),
        close() {
          socket.closed = true;
        },
      };
    },
    async request({ url }) {
      asked.push(url);
      const [path = ""] = url.split("?");
      const { status, body } = (await answers[path]?.()) ?? {
        status: 201,
        body: { ticket: "t", socket: "wss://x/pgws" },
      };
      return { status, headers: {}, body: JSON.stringify(body) };
    },
    store: memoryStore(),
    now: () => now,
    later(work, ms) {
      const timer = { at: now + ms, work };
      timers.push(timer);
      return {
        cancel() {
          timer.work = () => {};
        },
      };
    },
    random: () => 0.5,
    onChange(back) {
      turn = back;
      return () => {};
    },
    log: (what, about) => void log.push([what, about]),
  };
  const settled = async () => {
    for (let k = 0; k < 40; k++) await undefined;
  };
  const api = makeApi(platform, { url: "", token: () => "token", renew: async () => undefined });
  const states: string[] = [];
  const channel = openChannel(platform, api);
  channel.onState((state) => states.push(state));
  const seen: number[] = [];
  const subscription: Subscription = { position: at(0), onEvent: ({ seq }) => void seen.push(seq) };
  return {
    channel,
    states,
    seen,
    sockets,
    asked,
    log,
    settled,
    turn: (there: boolean) => turn(there),
    /** The latest socket. */
    get socket() {
      return sockets.at(-1) as (typeof sockets)[number];
    },
    async open() {
      await settled();
      (sockets.at(-1) as (typeof sockets)[number]).on.open();
    },
    /** An answer is one to the last question about its stream. */
    hear(message: ServerMessage) {
      const { on, said } = sockets.at(-1) as (typeof sockets)[number];
      const names = message.type === "checked" ? message.streams[0] : message;
      const asks = (one: ClientMessage) =>
        (one.type === "resume" || one.type === "check") &&
        one.streams.some((ask) => names !== undefined && "stream" in names && ask.stream === names.stream);
      const n = said.findLast(asks)?.n;
      on.message(JSON.stringify("n" in message && n ? { ...message, n } : message));
    },
    subscribe: (more: Partial<Subscription> = {}, name = stream) =>
      channel.subscribe(name, { ...subscription, ...more }),
    async pass(ms: number) {
      const until = now + ms;
      await settled();
      for (;;) {
        timers.sort((a, b) => a.at - b.at);
        const next = timers[0];
        if (next === undefined || next.at > until) break;
        timers.shift();
        now = next.at;
        next.work();
        await settled();
      }
      now = until;
    },
  };
}

describe("the channel", () => {
  it("asks for the missing events of a gap, and delivers early ones in order", async () => {
    const s = stage();
    s.subscribe();
    await s.open();
    s.hear(resumed(0));
    s.hear(pushed(3));
    s.hear(pushed(3));
    expect(s.seen).toEqual([]);
    expect(s.socket.said.at(-1)).toMatchObject({ type: "resume", streams: [{ stream, epoch: "e", seq: 0, tag: "" }] });
    s.hear(resumed(2, [event(1), event(2)]));
    expect(s.seen).toEqual([1, 2, 3]);
    expect(s.channel.state()).toBe("live");
  });

  it("drops early events when its socket dies: the next may tell another history", async () => {
    const s = stage();
    const tags: string[] = [];
    s.subscribe({ onEvent: ({ tag }) => void tags.push(tag) });
    await s.open();
    s.hear(resumed(0));
    s.hear(pushed(2, "of the old history"));
    s.socket.on.close();
    await s.pass(2_000);
    await s.open();
    s.hear(resumed(1, [event(1)]));
    s.hear(pushed(2));
    expect(tags).toEqual(["t1", "t2"]);
  });

  it("does not take a polled answer for a position that the socket has passed", async () => {
    let give: (answer: Answer) => void = () => {};
    const s = stage({ "/events": () => new Promise((resolve) => (give = resolve)) });
    const tags: string[] = [];
    s.subscribe({ onEvent: ({ tag }) => void tags.push(tag) });
    for (let k = 0; k < 2; k++) {
      await s.settled();
      s.socket.on.close();
      await s.pass(2_000);
    }
    expect(s.asked.filter((url) => url.startsWith("/events"))).toHaveLength(1);
    await s.open();
    s.hear(resumed(1, [event(1)]));
    // Asked at 0, answered for a history that is over.
    give({ status: 200, body: { ...at(2), events: [event(1, "old"), event(2, "old")], more: false, checkMs: 10_000 } });
    await s.settled();
    s.hear(pushed(2));
    expect(tags).toEqual(["t1", "t2"]);
    expect(s.channel.state()).toBe("live");
  });

  it("treats a socket as dead that does not answer or does not open", async () => {
    const s = stage();
    s.subscribe();
    await s.open();
    await s.pass(13_000);
    expect(s.sockets[0]?.closed).toBe(true);
    expect(s.sockets.length).toBeGreaterThan(1);
    await s.pass(13_000);
    expect(s.sockets[1]?.closed).toBe(true);
  });

  it("checks every stream in time, busy or silent, until it is answered", async () => {
    const s = stage();
    s.subscribe();
    s.subscribe({}, "room:b");
    await s.open();
    const room = { stream: "room:b" };
    s.hear(resumed(0));
    s.hear({ ...resumed(0), ...room } as ServerMessage);
    for (let seq = 1; seq <= 11; seq++) {
      await s.pass(1_000);
      s.hear({ ...pushed(seq), ...room } as ServerMessage);
    }
    const checks = s.socket.said.filter(({ type }) => type === "check");
    // Both; and again, as long as there is no answer.
    expect(checks[0]).toMatchObject({ streams: [{ stream }, room] });
    expect(checks[1]).toMatchObject({ streams: [{ stream }, room] });
    const due = { checkMs: 10_000 };
    s.hear({
      type: "checked",
      n: 0,
      streams: [
        { stream, seq: 0, ...due },
        { ...room, seq: 11, ...due },
      ],
    });
    expect(s.channel.state()).toBe("live");
  });

  it("numbers its messages, and puts at most twenty streams into one", async () => {
    const s = stage();
    for (let k = 0; k < 45; k++) s.subscribe({}, `room:${k}`);
    await s.open();
    expect(s.socket.said.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(s.socket.said.map((message) => "streams" in message && message.streams.length)).toEqual([20, 20, 5]);
  });

  it("pauses as long as the server says where no poll may wait", async () => {
    let polls = 0;
    const s = stage({
      "/events": () => {
        polls += 1;
        return { status: 200, body: { ...at(0), events: [], more: false, head: 0, checkMs: 10_000, pauseMs: 10_000 } };
      },
    });
    s.subscribe();
    for (let k = 0; k < 2; k++) {
      await s.settled();
      s.socket.on.close();
      await s.pass(2_000);
    }
    const before = polls;
    await s.pass(30_000);
    expect([before > 0, polls - before]).toEqual([true, 3]);
    s.channel.close();
  });

  it("stays off the socket when the session has too many connections, and polls meanwhile", async () => {
    const s = stage({
      "/events": () => ({ status: 200, body: { ...at(0), events: [], more: false, checkMs: 10_000 } }),
    });
    s.subscribe();
    await s.open();
    s.hear(resumed(0));
    s.hear({ type: "error", code: "TOO_MANY_CONNECTIONS", message: "", retry: false });
    s.socket.on.close();
    // The stand-in answers a waiting poll at once; a second is enough of that.
    await s.pass(0);
    expect(s.channel.state()).toBe("polling");
    expect(s.sockets).toHaveLength(1);
    s.channel.close();
  });

  it("is not live before the first answer, nor without anything to watch", async () => {
    const s = stage();
    expect([s.channel.state(), s.channel.heardAt()]).toEqual(["idle", 0]);
    const stop = s.subscribe();
    expect([s.channel.state(), s.channel.heardAt()]).toEqual(["catching up", 0]);
    await s.open();
    s.hear(resumed(0));
    expect([s.channel.state(), s.channel.heardAt() > 0]).toEqual(["live", true]);
    stop();
    expect(s.channel.state()).toBe("idle");
    s.subscribe();
    await s.open();
    s.hear({ type: "error", n: 0, stream, code: "STREAM_FORBIDDEN", message: "no", retry: false });
    expect(s.channel.state()).toBe("idle");
    s.subscribe();
    s.channel.close();
    expect(s.channel.state()).toBe("closed");
    expect(s.states.at(-1)).toBe("closed");
    const { length } = s.sockets;
    s.subscribe();
    await s.pass(60_000);
    expect([s.channel.state(), s.sockets.length]).toEqual(["closed", length]);
  });

  it("says why its socket was lost, until the next one is useful", async () => {
    let refuses = false;
    const s = stage({
      "/session/ticket": () => ({
        status: refuses ? 503 : 201,
        body: refuses ? { code: "STOPPING", detail: "it stops" } : { ticket: "t", socket: "wss://x/pgws" },
      }),
      "/events": () => ({ status: 200, body: { ...at(0), events: [], more: false, checkMs: 10_000, pauseMs: 10_000 } }),
    });
    const reasons: unknown[] = [];
    s.channel.onState((state, reason) => reasons.push([state, reason]));
    s.subscribe();
    await s.open();
    s.hear(resumed(0));
    expect(s.channel.reason()).toBeUndefined();
    s.socket.on.close({ code: 1006, reason: "" });
    expect(reasons.at(-1)).toEqual(["offline", { code: 1006, reason: "" }]);
    // The next handshake is refused, with an error of the API.
    refuses = true;
    await s.pass(1_000);
    expect(s.channel.reason()?.error).toMatchObject({ code: "STOPPING", message: "it stops" });
    refuses = false;
    await s.pass(2_000);
    await s.open();
    s.hear(resumed(0));
    expect(s.channel.reason()).toBeUndefined();
    // The server says what is wrong before it closes.
    s.hear({ type: "error", code: "SLOW_READER", message: "read faster", retry: false });
    s.socket.on.close({ code: 4429, reason: "slow" });
    expect(s.channel.reason()).toMatchObject({ code: 4429, reason: "slow", error: { code: "SLOW_READER" } });
    await s.pass(1_000);
    await s.open();
    // This one never answers.
    await s.pass(13_000);
    expect(s.channel.reason()).toMatchObject({ reason: "no answer", error: undefined });
    s.channel.close();
  });

  it("accepts an answer only for the question that it asked, and once", async () => {
    let position = at(2);
    let snapshots = 0;
    const s = stage();
    s.subscribe({
      position: undefined as never,
      async snapshot() {
        snapshots += 1;
        return position;
      },
    });
    await s.open();
    s.hear(resumed(2));
    s.turn(true);
    const { n } = s.socket.said.at(-1) as ClientMessage;
    const reset: ServerMessage = { type: "reset", n, stream, ...at(1), reason: "ahead" };
    position = at(1);
    const late = JSON.stringify(reset);
    s.socket.on.message(late);
    await s.settled();
    s.hear(resumed(1));
    s.socket.on.message(late);
    await s.settled();
    expect([snapshots, s.channel.state()]).toEqual([2, "live"]);
  });

  it("asks again when a head lies below its own, or its events come with another tag", async () => {
    const s = stage();
    s.subscribe();
    await s.open();
    s.hear(resumed(3, [event(1), event(2), event(3)]));
    s.hear({ type: "head", stream, ...at(2) });
    expect(s.channel.state()).toBe("live");
    await s.pass(1_000);
    expect(s.socket.said.at(-1)).toMatchObject({ type: "check", streams: [{ seq: 3 }] });
    s.hear(resumed(3));
    s.hear(pushed(2, "other"));
    expect(s.channel.state()).toBe("catching up");
    expect(s.socket.said.at(-1)).toMatchObject({ type: "resume", streams: [{ seq: 3 }] });
    s.hear(resumed(3));
    s.hear({ type: "head", stream, ...at(2), tag: "other" });
    expect(s.channel.state()).toBe("catching up");
    expect(s.seen).toEqual([1, 2, 3]);
  });

  it("fetches the state after a reset, and goes on from there; without a state, from the head", async () => {
    let position = at(4);
    const s = stage();
    s.subscribe({ position: undefined as never, snapshot: async () => position });
    s.subscribe({}, "room:b");
    await s.open();
    s.hear(resumed(4));
    position = at(7, "new");
    s.turn(true);
    s.hear({ type: "reset", n: 2, stream, ...at(7, "new"), reason: "epoch" });
    s.hear({ type: "reset", n: 2, stream: "room:b", ...at(9, "new"), reason: "epoch" });
    await s.settled();
    const last = s.socket.said.slice(-2).map((message) => "streams" in message && message.streams[0]);
    expect(last).toEqual(
      expect.arrayContaining([
        { stream, ...position },
        { stream: "room:b", ...at(9, "new") },
      ]),
    );
  });

  it("reports a stream that is refused, and keeps one that is only late", async () => {
    const s = stage();
    const errors: ApiError[] = [];
    s.subscribe({ onError: (error) => errors.push(error) });
    s.subscribe({ onError: (error) => errors.push(error) }, "room:b");
    await s.open();
    s.hear({ type: "error", n: 1, stream, code: "STREAM_FORBIDDEN", message: "no", retry: false });
    s.hear({ type: "error", n: 1, stream: "room:b", code: "DATABASE_AWAY", message: "wait", retry: true });
    expect(errors).toMatchObject([{ code: "STREAM_FORBIDDEN", message: "no" }]);
    await s.pass(3_000);
    expect(s.socket.said.at(-1)).toMatchObject({ type: "check", streams: [{ stream: "room:b" }] });
  });

  it("goes on when a listener throws or its promise rejects, and the log gets the error", async () => {
    const s = stage();
    const fault = new Error("the page's own fault");
    s.subscribe({
      onEvent({ seq }): void {
        s.seen.push(seq);
        throw fault;
      },
    });
    // Typed so that nobody writes it by intent; it happens.
    s.subscribe({ onEvent: (async () => Promise.reject(fault)) as never });
    s.channel.onState(() => {
      throw fault;
    });
    await s.open();
    s.hear(resumed(3, [event(1), event(2), event(3)]));
    await s.settled();
    expect(s.seen).toEqual([1, 2, 3]);
    expect(s.states).toEqual(["catching up", "live"]);
    expect(s.log.filter(([what]) => what === "error")).toEqual(Array(7).fill(["error", fault]));
  });

  it("closes in the background, and resumes in front from its position", async () => {
    const s = stage();
    s.subscribe();
    await s.open();
    s.hear(resumed(2, [event(1), event(2)]));
    s.turn(false);
    expect(s.socket.closed).toBe(true);
    await s.pass(60_000);
    expect(s.sockets).toHaveLength(1);
    s.turn(true);
    await s.open();
    expect(s.socket.said).toMatchObject([{ type: "resume", streams: [{ stream, seq: 2, tag: "t2" }] }]);
  });

  it("leaves a stream with its last reader, and closes the socket with the last stream", async () => {
    const s = stage();
    const stops = [s.subscribe(), s.subscribe(), s.subscribe({}, "room:b")];
    await s.open();
    const leaves = () => s.socket.said.filter(({ type }) => type === "leave");
    stops[0]?.();
    expect(leaves()).toEqual([]);
    stops[1]?.();
    stops[1]?.();
    expect(leaves()).toMatchObject([{ streams: [stream] }]);
    expect(s.socket.closed).toBe(false);
    stops[2]?.();
    expect(s.socket.closed).toBe(true);
    expect(s.channel.send({ type: "leave", streams: [stream] })).toBe(false);
  });

  it("is signed out with the session, and sends nothing until a new one begins", async () => {
    let status = 401;
    const s = stage({ "/session/ticket": () => ({ status, body: { code: "SESSION_ENDED", ticket: "t" } }) });
    s.subscribe();
    await s.pass(60_000);
    expect(s.channel.state()).toBe("signed out");
    expect(s.asked).toEqual(["/session/ticket"]);
    status = 201;
    s.channel.restart();
    await s.open();
    s.hear(resumed(0));
    expect(s.states).toEqual(["catching up", "signed out", "catching up", "live"]);
  });
});

/** Many clients come back at once. They share flights and reads, and what happens to one of them does not touch the others. */
import { insertRows } from "../../db/dialect.ts";
import { join, sql } from "../../db/sql.ts";
import { SessionEnded, SessionInvalid, TicketInvalid } from "../../shared/errors.ts";
import { claimOfToken, newToken } from "../../shared/sessions/session.ts";
import { issueTicket } from "../../shared/sessions/tickets.ts";
import { register } from "../../shared/streams/transmit.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, openSocket, type Person } from "../_house.ts";

const gateway = "local:test";

onEveryDialect((engine) => {
  let house: House;
  let people: Person[];
  beforeAll(async () => {
    house = await openHouse(engine, { limits: { concurrency: 20_000, queue: 20_000 }, config: { ticketMs: 600_000 } });
    people = await Promise.all(Array.from({ length: 3 }, () => house.guest()));
  });
  afterAll(() => house.close());

  const issued = (token: string) => issueTicket(house.app, claimOfToken(house.app, token));
  const ticketsOf = async (person: Person) =>
    (await house.db.read([sql`SELECT hash FROM tickets WHERE session_id = ${person.session}`]))[0]?.length;

  /** A call that keeps its kind of batch busy, so that the next ones form a batch together. */
  async function together<T>(work: readonly (() => Promise<T>)[]): Promise<PromiseSettledResult<T>[]> {
    const first = register(house.app, "obt_unknown", "first", gateway).catch(() => {});
    const opening = issued(people[0]?.token as string);
    const all = await Promise.allSettled(work.map((one) => one()));
    await Promise.all([first, opening]);
    return all;
  }

  const reasons = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
    outcomes.map((one) => (one.status === "rejected" ? one.reason.constructor : "done"));

  it("a ticket is issued to those who may have one, whoever else asks in the same flight", async () => {
    const [good, forged, ended] = people as [Person, Person, Person];
    await house.db.flight({ statements: [sql`UPDATE sessions SET ended_at = 1 WHERE id = ${ended.session}`] });
    const before = await ticketsOf(good);
    const outcomes = await together([
      () => issued(forged.token.replace(/.$/, (last) => (last === "A" ? "B" : "A"))),
      () => issued(good.token),
      () => issued(ended.token),
      () => issued(good.token),
    ]);
    expect(reasons(outcomes)).toEqual([SessionInvalid, "done", SessionEnded, "done"]);
    expect([await ticketsOf(good), await ticketsOf(forged), await ticketsOf(ended)]).toEqual([(before ?? 0) + 3, 0, 0]);
    await house.db.flight({ statements: [sql`UPDATE sessions SET ended_at = NULL WHERE id = ${ended.session}`] });
  });

  it("of two upgrades in one flight with one ticket one wins", async () => {
    const { ticket } = await issued(people[0]?.token as string);
    const outcomes = await together([
      () => register(house.app, ticket, "twice-1", gateway),
      () => register(house.app, ticket, "twice-2", gateway),
    ]);
    expect(reasons(outcomes).sort()).toEqual([TicketInvalid, "done"].sort());
    const [rows] = await house.db.read([sql`SELECT id FROM connections WHERE id IN ('twice-1', 'twice-2')`]);
    expect(rows).toHaveLength(1);
    await expect(register(house.app, ticket, "twice-3", gateway)).rejects.toThrow(TicketInvalid);
  });

  it("an upgrade that the database refuses takes none of its flight with it, and its ticket stays good", async () => {
    const tickets = await Promise.all(people.map(({ token }) => issued(token)));
    const [a, b, c] = tickets.map(({ ticket }) => ticket) as [string, string, string];
    await register(house.app, (await issued(people[0]?.token as string)).ticket, "there", gateway);
    const outcomes = await together([
      () => register(house.app, a, "one", gateway),
      // Another connection has this id already.
      () => register(house.app, b, "there", gateway),
      () => register(house.app, "obt_nobody", "two", gateway),
      () => register(house.app, c, "three", gateway),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    const [rows] = await house.db.read([
      sql`SELECT id FROM connections WHERE id IN ('one', 'two', 'three') ORDER BY id`,
    ]);
    expect(rows.map(({ id }) => id)).toEqual(["one", "three"]);
    expect(await register(house.app, b, "four", gateway)).toMatchObject({ user: people[1]?.user });
  });

  it("a session that ended between ticket and upgrade is refused, and the others of its flight are not", async () => {
    const [stays, leaves] = [await house.guest(), await house.guest()];
    const [one, other] = [await issued(stays.token), await issued(leaves.token)];
    await house.db.flight({ statements: [sql`UPDATE sessions SET ended_at = 1 WHERE id = ${leaves.session}`] });
    const outcomes = await together([
      () => register(house.app, other.ticket, "leaves", gateway),
      () => register(house.app, one.ticket, "stays", gateway),
    ]);
    expect(reasons(outcomes)).toEqual([TicketInvalid, "done"]);
  });

  it("a resume is refused when its session has ended, beside others in the same read", async () => {
    const guests = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    const sockets = await Promise.all(guests.map((guest) => guest.connect()));
    // Nobody tells the socket: the row alone must do.
    await house.db.flight({
      statements: [sql`UPDATE sessions SET ended_at = 1 WHERE id = ${guests[1]?.session ?? ""}`],
    });
    for (const [at, socket] of sockets.entries())
      socket.say({ type: "resume", streams: [{ stream: `user:${guests[at]?.user}` }] });
    for (const [at, socket] of sockets.entries())
      if (at !== 1) expect(await socket.next("resumed")).toMatchObject({ n: 1, events: [] });
    expect(await sockets[1]?.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await sockets[1]?.closed;
    for (const socket of sockets) socket.close();
  });

  it("sessions that are due on the same morning are extended together, and one that has ended is not", async () => {
    const guests = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    const rows = async () =>
      (
        await house.db.read([
          sql`SELECT id, expires_at FROM sessions WHERE id IN (${join(guests.map(({ session }) => session))})`,
        ])
      )[0].toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    const before = await rows();
    house.clock.forward(25 * 3_600_000);
    const ended = before[2]?.id ?? "";
    await house.db.flight({ statements: [sql`UPDATE sessions SET ended_at = 1 WHERE id = ${ended}`] });
    const outcomes = await Promise.allSettled(guests.map(({ token }) => issued(token)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const [at, { id, expires_at }] of (await rows()).entries()) {
      const late = Number(expires_at) - Number(before[at]?.expires_at);
      expect([id === ended, late >= 24 * 3_600_000]).toEqual([id === ended, id !== ended]);
    }
  });

  it("of many who come back to their rooms those are refused whose grants were withdrawn", async () => {
    const guests = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    const rooms = await Promise.all(
      guests.map(
        async ({ http }) =>
          (await http("POST", "/rooms", { body: {} })).body as { room: { stream: string }; grant: string },
      ),
    );
    const withdrawn = rooms[2]?.room.stream.slice("room:".length) ?? "";
    await house.db.flight({ statements: [sql`UPDATE rooms SET grant_version = 2 WHERE id = ${withdrawn}`] });
    const sockets = await Promise.all(guests.map((guest) => guest.connect()));
    const answers = await Promise.all(
      sockets.map((socket, at) => socket.resume({ stream: rooms[at]?.room.stream ?? "", grant: rooms[at]?.grant })),
    );
    expect(answers.map(({ type }) => type)).toEqual(["resumed", "resumed", "error", "resumed"]);
    expect(answers[2]).toMatchObject({ code: "GRANT_INVALID" });
    for (const socket of sockets) socket.close();
  });

  it("each of many positions on many streams gets its own answer from one read", async () => {
    const [guest, staff] = [await house.guest(), await house.staff()];
    for (let k = 0; k < 3; k++) await guest.order();
    const [mine, kitchen] = [`user:${guest.user}`, `shop:${house.shop}`];
    const [socket, screen] = [await guest.connect(), await staff.connect()];
    const all = await socket.resume({ stream: mine, epoch: "", seq: 0, tag: "" });
    if (all.type !== "resumed") throw new Error("not resumed");
    const [first, , third] = all.events;
    const from = (event = first) => ({ stream: mine, epoch: all.epoch, seq: event?.seq, tag: event?.tag });
    const asks = [
      from(),
      from(third),
      { ...from(), tag: "other" },
      { ...from(), epoch: "other" },
      { ...from(), seq: 99 },
    ];
    const others = await Promise.all(asks.map(() => guest.connect()));
    const answers = await Promise.all([
      ...asks.map((ask, at) => others[at]?.resume(ask as never)),
      screen.resume({ stream: kitchen, epoch: "", seq: 0, tag: "" }),
      socket.resume({ stream: kitchen }),
      socket.resume({ stream: "board:nowhere" }),
      socket.resume({ stream: `menu:${house.shop}` }),
    ]);
    expect(answers.map((answer) => answer?.type)).toEqual([
      "resumed",
      "resumed",
      "reset",
      "reset",
      "reset",
      "resumed",
      "error",
      "error",
      "resumed",
    ]);
    expect(
      answers.slice(0, 2).map((answer) => (answer?.type === "resumed" ? answer.events.map(({ seq }) => seq) : [])),
    ).toEqual([[2, 3], []]);
    expect(answers.slice(2, 5).map((answer) => (answer?.type === "reset" ? answer.reason : ""))).toEqual([
      "tag",
      "epoch",
      "ahead",
    ]);
    for (const one of [socket, screen, ...others]) one.close();
  });

  it("a thousand arrive at once, each with its own backlog", async () => {
    const { app, db, url } = house;
    const at = app.clock.now();
    const crowd = Array.from({ length: 1_000 }, () => {
      const [user, session] = [app.random.id(), app.random.id()];
      return { user, session, ...newToken(app, "guest", user, session), tag: app.random.tag() };
    });
    await db.flight({
      statements: [
        ...insertRows(
          db.dialect,
          "sessions",
          crowd.map(({ user, session, hash }) => ({
            id: session,
            user_id: user,
            kind: "guest",
            token_hash: hash,
            created_at: at,
            seen_at: at,
            expires_at: at + 7 * 86_400_000,
          })),
        ),
        ...insertRows(
          db.dialect,
          "streams",
          crowd.map(({ user, tag }) => ({
            name: `user:${user}`,
            epoch: "e",
            seq: 1,
            prev: "",
            tag,
            changed_at: at,
            source_seq: 0,
          })),
        ),
        ...insertRows(
          db.dialect,
          "events",
          crowd.map(({ user, tag }) => ({
            stream: `user:${user}`,
            seq: 1,
            tag,
            prev: "",
            type: "notification",
            data: JSON.stringify({ user }),
            at,
          })),
        ),
      ],
    });
    const arrived = await Promise.all(
      crowd.map(async ({ user, token }) => {
        const { ticket } = await issued(token);
        const socket = await openSocket(`${url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
        const answer = await socket.resume({ stream: `user:${user}`, epoch: "", seq: 0, tag: "" });
        socket.close();
        return answer.type === "resumed" && answer.events.length === 1 && answer.events[0]?.data;
      }),
    );
    expect(arrived).toEqual(crowd.map(({ user }) => ({ user })));
  });
});

/** A kitchen returns with a position: old, of another history, from before a restore, or trimmed. It gets all events or a reset. */
import type { Row } from "../../db/database.ts";
import { insertRows, type NewRow } from "../../db/dialect.ts";
import { raw, sql } from "../../db/sql.ts";
import { trimEvents } from "../../db/streams.ts";
import type { Position, ServerMessage } from "../../shared/protocol.ts";
import { trim } from "../../shared/shop/sweep.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person, shown } from "../_house.ts";
import { openTablet } from "../_tablet.ts";

onEveryDialect((engine) => {
  let house: House;
  let kitchen: Person;
  let stream: string;
  beforeEach(async () => {
    // Nothing happens by itself here.
    house = await openHouse(engine, { lookMs: 3_600_000, tickMs: 3_600_000 });
    kitchen = await house.staff("kitchen");
    stream = `shop:${house.shop}`;
    // The first screen of a kitchen is an event of its own.
    await catchUp(await position());
  });
  afterEach(() => house.close());

  const orders = async (count: number): Promise<string[]> => {
    const customer = await house.guest();
    const ids: string[] = [];
    for (let at = 0; at < count; at++) ids.push((await customer.order()).body.order.id);
    return ids;
  };

  const position = async (): Promise<Position> => {
    const { epoch, seq, tag } = (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body.position;
    return { epoch, seq, tag };
  };

  /** Resumes until nothing more is lacking, as a client does. */
  async function catchUp(from: Position): Promise<ServerMessage[]> {
    const screen = await kitchen.connect();
    const answers: ServerMessage[] = [];
    let at = from;
    for (;;) {
      const answer = await screen.resume({ stream, ...at });
      answers.push(answer);
      if (answer.type !== "resumed" || !answer.more) break;
      at = { epoch: answer.epoch, seq: answer.seq, tag: answer.tag };
    }
    screen.close();
    return answers;
  }

  it("a kitchen that returns gets exactly what it missed, in chunks of one frame", async () => {
    const before = await position();
    const note = "长".repeat(100);
    const lines = Array.from({ length: 20 }, () => ({ dish: "tea", quantity: 1, note }));
    const customer = await house.guest();
    const ids: string[] = [];
    for (let at = 0; at < 12; at++) ids.push((await customer.order({ lines })).body.order.id);
    const answers = await catchUp(before);
    expect(answers.length).toBeGreaterThan(3);
    for (const answer of answers) {
      expect(answer.type).toBe("resumed");
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(32 * 1_024);
    }
    const seqs = answers.flatMap((answer) => (answer.type === "resumed" ? answer.events.map(({ seq }) => seq) : []));
    expect(seqs).toEqual(seqs.map((_, at) => before.seq + 1 + at));
    expect([...shown(answers).keys()]).toEqual(ids);
    expect(answers.at(-1)).toMatchObject(await position());
  });

  it("a kitchen that returns lacks nothing when nothing happened, by resume and by check", async () => {
    const screen = await kitchen.connect();
    await screen.resume({ stream });
    const at = await position();
    expect(await screen.resume({ stream, ...at })).toMatchObject({ type: "resumed", events: [], more: false, ...at });
    const n = screen.say({ type: "check", streams: [{ stream, ...at }] });
    expect(await screen.next("checked")).toMatchObject({ n, streams: [{ stream, seq: at.seq }] });
    screen.close();
  });

  it.each<[string, (at: Position) => Position, string]>([
    ["another epoch", (at) => ({ ...at, epoch: "another" }), "epoch"],
    ["a number above the head", (at) => ({ ...at, seq: at.seq + 5 }), "ahead"],
    ["the right number of another history", (at) => ({ ...at, tag: "another" }), "tag"],
  ])("a kitchen that returns is told to start anew with %s", async (_, wrong, reason) => {
    await orders(2);
    const [answer] = await catchUp(wrong(await position()));
    expect(answer).toMatchObject({ type: "reset", reason, ...(await position()) });
  });

  it("a kitchen that returns is told to start anew after a restore, though numbers and epoch fit again", async () => {
    await orders(2);
    const tables = ["streams", "events", "orders", "order_lines", "order_history", "idempotency_keys", "shop_days"];
    const backup = await Promise.all(
      tables.map(async (table) => (await house.db.read([sql`SELECT * FROM ${raw(table)}`]))[0] as Row[]),
    );
    const [lostA, lostB] = await orders(2);
    const before = await position();
    // The database comes back from its backup; the same numbers are given to other orders.
    for (const [at, table] of tables.entries())
      await house.db.flight({
        statements: [sql`DELETE FROM ${raw(table)}`, ...insertRows(house.db.dialect, table, backup[at] as NewRow[])],
      });
    await orders(3);
    const after = await position();
    expect(after.epoch).toBe(before.epoch);
    expect(after.seq).toBeGreaterThan(before.seq);
    const [answer] = await catchUp(before);
    expect(answer).toMatchObject({ type: "reset", reason: "tag" });

    // And the tablet does it by itself.
    const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
    await tablet.until(({ orders: on }) => on.size === 5, "the five orders that there are");
    expect(tablet.orders.has(lostA as string) || tablet.orders.has(lostB as string)).toBe(false);
    tablet.close();
  });

  it("a kitchen that returns is told to start anew when what it missed was trimmed, and only then", async () => {
    const old = await position();
    await orders(2);
    const here = await position();
    house.clock.forward(49 * 3_600_000);
    await trim(house.app);
    const [answer] = await catchUp(old);
    expect(answer).toMatchObject({ type: "reset", reason: "trimmed" });
    const [current] = await catchUp(here);
    expect(current).toMatchObject({ type: "resumed", events: [] });
  });

  it("a kitchen that returns is told to start anew when the middle is missing, never sent a part", async () => {
    const before = await position();
    await orders(4);
    await house.db.flight({
      statements: [sql`DELETE FROM events WHERE stream = ${stream} AND seq = ${before.seq + 2}`],
    });
    const [answer] = await catchUp(before);
    expect(answer).toMatchObject({ type: "reset", reason: "trimmed" });
    await house.db.flight({ statements: [trimEvents(Number.MAX_SAFE_INTEGER)] });
    expect((await catchUp(before))[0]).toMatchObject({ type: "reset", reason: "trimmed" });
  });

  it("a kitchen asks for 3 and 4 when it has 1 and 2 and is sent 5", async () => {
    let drop = false;
    await house.close();
    house = await openHouse(engine, {
      lookMs: 3_600_000,
      environment: { CHECK_SHOP_MS: "60000" },
      faults: { push: (_, frame) => (drop && frame.startsWith('{"type":"event"') ? "drop" : undefined) },
    });
    kitchen = await house.staff("kitchen");
    const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
    await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
    const first = await orders(2);
    drop = true;
    const missed = await orders(2);
    drop = false;
    const last = await orders(1);
    await tablet.until(({ orders: on }) => on.size === 5, "five orders");
    expect(tablet.rung()).toEqual([...first, ...missed, ...last]);
    tablet.close();
  });
});

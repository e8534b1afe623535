/** Webhooks over real HTTP, in every dialect of SQL: order, retries, death and replay, and who gets what. */
import { sql } from "../../db/sql.ts";
import { readHeads } from "../../db/streams.ts";
import { readCursor, readWebhook } from "../../db/webhooks.ts";
import { systemClock } from "../../functions/_app.ts";
import { editMenu } from "../../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../../shared/shop/open_shop.ts";
import { deliverStreams } from "../../shared/webhooks/deliver_webhooks.ts";
import { sweepWebhooks } from "../../shared/webhooks/sweep_webhooks.ts";
import { addWebhook, listWebhooks, removeWebhook, replayWebhook, testWebhook } from "../../shared/webhooks/webhooks.ts";
import { dialectEngines } from "../_engines.ts";
import { type House, newKey, openHouse, type Person, testMenu, testSettings } from "../_house.ts";
import { until } from "../_until.ts";
import { openReceiver, type Receiver, subscribe, webhookEnvironment } from "./_receiver.ts";

async function eventually(is: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await is())) {
    if (Date.now() > giveUpAt) throw new Error(`${what} never was`);
    await systemClock.sleep(20);
  }
}

/** Enough for a request that should not come to come. */
const pause = () => systemClock.sleep(400);
const otherShop = "tea-house";

describe.each(dialectEngines.filter(({ here }) => here))("a webhook on $name", (engine) => {
  let house: House;
  let guest: Person;
  let receiver: Receiver;
  const added: string[] = [];

  beforeAll(async () => {
    house = await openHouse(engine, {
      environment: { ...webhookEnvironment, CALLBACK_TIMEOUT_MS: "1000", EVENT_HOURS: "720" },
      lookMs: 30,
    });
    guest = await house.guest();
    await createShop(house.app, {
      id: otherShop,
      names: { en: "Tea house" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 240,
      settings: testSettings(),
    });
    await editMenu(house.app, {
      actor: null,
      shop: otherShop,
      action: "menu.import",
      edit: () => ({ menu: testMenu }),
    });
    await openShop(house.app, null, otherShop, true);
  });
  afterAll(() => house.close());
  beforeEach(async () => {
    receiver = await openReceiver();
  });
  afterEach(async () => {
    for (const id of added.splice(0)) await removeWebhook(house.app, id);
    await receiver.close();
  });

  const add = async (to: Receiver, more: Parameters<typeof subscribe>[2] = {}) => {
    const id = await subscribe(house, to, more);
    added.push(id);
    return id;
  };
  const place = async (shop = house.shop, by = guest) => {
    const { status, body, text } = await by.order({ shop });
    if (status !== 201) throw new Error(text);
    return body.order as { id: string };
  };
  const numbers = (events: readonly { readonly sequence: string }[]) => events.map(({ sequence }) => Number(sequence));
  const settings = () => house.app.config.webhooks as { retryMs: number; deadMs: number };
  const stream = () => `shop:${house.shop}`;
  const listed = async (id: string) => (await listWebhooks(house.app)).find(({ webhook }) => webhook === id);

  it("gets an order as a signed CloudEvent", async () => {
    const webhook = await add(receiver, { shop: house.shop });
    const order = await place();
    await receiver.got(1);
    const { event, headers, body } = receiver.requests[0] ?? ({} as never);
    expect(headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(JSON.parse(body)).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^shop:noodle-house\/[\w-]+\/\d+\/[\w-]+$/),
      source: "/shops/noodle-house",
      type: "com.orderbell.order.placed",
      subject: order.id,
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      datacontenttype: "application/json",
      partitionkey: "shop:noodle-house",
      sequence: expect.stringMatching(/^\d{16}$/),
      data: expect.objectContaining({ action: "place", order: expect.objectContaining({ id: order.id }) }),
    });
    expect(event.id.split("/")[2]).toBe(String(Number(event.sequence)));
    await eventually(async () => (await listed(webhook))?.waiting === 0, "the end of the work");
    const [rows = []] = await house.db.read([readWebhook(webhook)]);
    expect(String(rows[0]?.secret_sealed)).not.toContain(receiver.secret.slice(6));
  });

  it("begins with what happens after it was added", async () => {
    await place();
    await add(receiver, { shop: house.shop });
    const order = await place();
    await receiver.got(1);
    await pause();
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual([order.id]);
  });

  it("keeps the order of a stream while many order at once and the receiver fails now and then", async () => {
    await add(receiver, { shop: house.shop });
    receiver.answer = (_, at) => (at % 4 === 1 ? 503 : 200);
    settings().retryMs = 20;
    const people = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    const before = receiver.requests.length;
    for (let round = 0; round < 4; round++) await Promise.all(people.map((one) => place(house.shop, one)));
    await receiver.got(before + 16);
    const got = numbers(receiver.accepted(stream()));
    expect(got).toEqual(got.toSorted((a, b) => a - b));
    // Each request is the event before once more, or the one after it.
    const asked = receiver.requests.map(({ event }) => Number(event.sequence));
    expect(asked).toEqual(asked.toSorted((a, b) => a - b));
    settings().retryMs = 1_000;
  });

  it("delivers at least once when a worker dies in between", async () => {
    const webhook = await add(receiver, { shop: house.shop });
    const order = await place();
    await receiver.got(1);
    await eventually(async () => (await listed(webhook))?.waiting === 0, "the end of the work");
    // A worker that has died holds the stream, and the event after it waits.
    await house.db.flight({
      statements: [
        (await import("../../db/sql.ts"))
          .sql`UPDATE webhook_cursors SET lease = 'dead', next_at = ${house.clock.now() + 20_000}
          WHERE webhook_id = ${webhook}`,
      ],
    });
    const second = await place();
    await pause();
    expect(receiver.accepted()).toHaveLength(1);
    house.clock.forward(21_000);
    await receiver.got(2);
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual([order.id, second.id]);
  });

  it("finds events that nobody announced", async () => {
    await add(receiver, { shop: house.shop });
    const note = jest.spyOn(house.app.webhooks, "note").mockImplementation(() => {});
    const order = await place();
    note.mockRestore();
    await sweepWebhooks(house.app);
    await receiver.got(1);
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual([order.id]);
  });

  it("waits longer after each failure, dies, and is replayed", async () => {
    const webhook = await add(receiver, { shop: house.shop, types: ["order.placed"] });
    const at: number[] = [];
    receiver.answer = () => {
      at.push(Date.now());
      return 500;
    };
    const { retryMs: usualRetryMs, deadMs: usualDeadMs } = settings();
    // The real pauses on one engine; on the others, a tenth.
    const retryMs = engine.name === "postgres" ? usualRetryMs : usualRetryMs / 10;
    Object.assign(settings(), { retryMs, deadMs: 12_000 });
    const orders = [await place(), await place()];
    const tries = () => receiver.requests.length;
    await until(() => tries() >= 1, "the first try");
    await until(() => tries() >= 4, "the fourth try");
    const gaps = at.slice(1).map((time, n) => time - (at[n] ?? 0));
    for (const [n, gap] of gaps.slice(0, 3).entries()) expect(gap).toBeGreaterThanOrEqual(retryMs * 2 ** n - 10);
    // The next real pause is longer than a worker waits; after it the time is over.
    house.clock.forward(16_000);
    await eventually(async () => (await listed(webhook))?.dead.length === 1, "its death");
    Object.assign(settings(), { retryMs: usualRetryMs, deadMs: usualDeadMs });
    expect(await listed(webhook)).toMatchObject({ waiting: 0, dead: [{ stream: stream(), status: "500" }] });
    expect(house.lines.some((line) => line.includes('"event":"webhook.dead"') && line.includes(webhook))).toBe(true);

    // Dead is dead: neither an event nor time wakes it.
    orders.push(await place());
    house.clock.forward(20_000);
    const dead = tries();
    await pause();
    expect(tries()).toBe(dead);

    receiver.answer = () => 200;
    expect(await replayWebhook(house.app, { webhook, stream: undefined, from: undefined })).toEqual({
      replayed: [stream()],
    });
    await receiver.got(3);
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual(orders.map(({ id }) => id));

    // Again, from the second one.
    const from = Number(receiver.accepted()[1]?.sequence);
    const accepted = receiver.requests.filter(({ status }) => status === 200).length;
    await replayWebhook(house.app, { webhook, stream: undefined, from });
    await until(() => receiver.requests.filter(({ status }) => status === 200).length >= accepted + 2, "them again");
    expect(numbers(receiver.requests.slice(-2).map(({ event }) => event))).toEqual([from, from + 1]);
  });

  it("dies at once when its receiver says that it is gone", async () => {
    const webhook = await add(receiver, { shop: house.shop });
    receiver.answer = () => 410;
    await place();
    await eventually(async () => (await listed(webhook))?.dead.length === 1, "its death");
    expect(receiver.requests).toHaveLength(1);
  });

  it("is kept apart from another shop's", async () => {
    const other = await openReceiver();
    await add(receiver, { shop: house.shop });
    await add(other, { shop: otherShop, types: ["order", "shop"] });
    const [own, others] = [await place(house.shop), await place(otherShop)];
    await openShop(house.app, null, otherShop, false);
    await openShop(house.app, null, otherShop, true);
    await receiver.got(1);
    await other.got(3);
    await pause();
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual([own.id]);
    expect(other.accepted().map(({ type, subject }) => [type, subject])).toEqual([
      ["com.orderbell.order.placed", others.id],
      ["com.orderbell.shop.closed", undefined],
      ["com.orderbell.shop.opened", undefined],
    ]);
    expect(other.accepted().every(({ source }) => source === `/shops/${otherShop}`)).toBe(true);
    await other.close();
  });

  it("of a shop cannot ask for what belongs to none", async () => {
    const asked = { url: receiver.url, shop: house.shop, types: ["room.message"] };
    await expect(addWebhook(house.app, asked)).rejects.toThrow();
    await expect(addWebhook(house.app, { ...asked, types: ["orders"] })).rejects.toThrow();
    const webhook = await add(receiver, { shop: house.shop });
    for (const stream of [`shop:${otherShop}`, `user:${guest.user}`, "room:x"])
      await expect(replayWebhook(house.app, { webhook, stream, from: 1 })).rejects.toThrow();
  });

  it("gets notifications and rooms' messages of everybody", async () => {
    await add(receiver, { types: ["notification", "room"] });
    const staff = await house.staff("owner");
    await place();
    const notified = await staff.http("POST", "/notify", {
      body: { user: guest.user, title: "Ready" },
      headers: { "idempotency-key": newKey() },
    });
    expect(notified.status).toBe(201);
    const { body: room } = await guest.http("POST", "/rooms", { body: {} });
    const socket = await guest.connect();
    socket.say({
      type: "publish",
      stream: room.room.stream,
      id: newKey(),
      grant: room.grant,
      data: { hello: "world" },
    });
    await socket.next("published");
    socket.close();
    await receiver.got(2);
    await pause();
    const events = receiver.accepted().toSorted((a, b) => (a.type < b.type ? -1 : 1));
    expect(events.map(({ type, source }) => [type, source])).toEqual([
      ["com.orderbell.notification", `/users/${guest.user}`],
      ["com.orderbell.room.message", `/rooms/${room.room.id}`],
    ]);
    expect(events[1]?.data).toMatchObject({ sender: guest.user, data: { hello: "world" } });
  });

  it("gets opened and closed connections", async () => {
    await add(receiver, { types: ["connection"] });
    const socket = await guest.connect();
    socket.close();
    await receiver.got(2);
    expect(receiver.accepted().map(({ type, source, data }) => [type, source, data])).toEqual(
      ["opened", "closed"].map((word) => [
        `com.orderbell.connection.${word}`,
        "/connections",
        { connection: expect.any(String), user: guest.user, kind: "guest", shop: null, role: null },
      ]),
    );
  });

  it("gets another event of a number that the database gave twice, since it went back in time", async () => {
    const webhook = await add(receiver, { shop: house.shop });
    await place();
    await receiver.got(1);
    const [rows = []] = await house.db.read([readHeads([stream()])]);
    const head = rows[0];
    const seq = Number(head?.seq) - 1;
    // The second order's event, and what was noted of it, are what a copy that lags does not have.
    let goesBack = true;
    receiver.answer = async () => {
      if (!goesBack) return 200;
      goesBack = false;
      await house.db.flight({
        statements: [
          sql`DELETE FROM events WHERE stream = ${stream()} AND seq > ${seq + 1}`,
          sql`UPDATE streams SET seq = ${seq + 1}, tag = ${String(head?.tag)} WHERE name = ${stream()}`,
        ],
      });
      third = await place();
      return 200;
    };
    let third: { id: string } | undefined;
    await place();
    await receiver.got(3);
    const [, before, after] = receiver.accepted();
    expect(after?.sequence).toBe(before?.sequence);
    expect(after?.id).not.toBe(before?.id);
    expect(after?.subject).toBe(third?.id);
    await eventually(async () => (await listed(webhook))?.waiting === 0, "the end of the work");
  });

  it("that hangs does not hold another one", async () => {
    const other = await openReceiver();
    other.answer = () => "hang";
    await add(other, { shop: house.shop });
    await add(receiver, { shop: house.shop });
    const orders = [await place(), await place(), await place()];
    await receiver.got(3);
    expect(receiver.accepted().map(({ subject }) => subject)).toEqual(orders.map(({ id }) => id));
    expect(other.requests).toHaveLength(1);
    await until(() => other.requests.length > 1, "another try after the time-out");
    expect(other.requests[1]?.event.id).toBe(other.requests[0]?.event.id);
    await other.close();
  });

  it("is delivered once by workers that run at once", async () => {
    await add(receiver, { shop: house.shop });
    const note = jest.spyOn(house.app.webhooks, "note").mockImplementation(() => {});
    for (let n = 0; n < 5; n++) await place();
    note.mockRestore();
    const { Lanes } = await import("../../shared/lanes.ts");
    await Promise.all(
      Array.from({ length: 4 }, () => deliverStreams({ ...house.app, webhookLanes: new Lanes(8) }, [stream()])),
    );
    expect(receiver.requests).toHaveLength(5);
    expect(numbers(receiver.accepted())).toEqual(numbers(receiver.accepted()).toSorted((a, b) => a - b));
  });

  it("is tried out, and says why nothing came", async () => {
    const webhook = await add(receiver, { shop: house.shop });
    expect(await testWebhook(house.app, webhook)).toMatchObject({ delivered: true, status: "200" });
    expect(receiver.requests[0]?.event.type).toBe("com.orderbell.webhook.test");
    await receiver.down();
    expect(await testWebhook(house.app, webhook)).toMatchObject({ delivered: false, status: "ECONNREFUSED" });
    await expect(testWebhook(house.app, house.app.random.id())).rejects.toThrow();
  });

  it("does not leave for a private network that is not configured", async () => {
    for (const url of ["http://10.1.2.3/", "http://[::ffff:10.1.2.3]/"]) {
      const { webhook } = await addWebhook(house.app, { url, shop: house.shop, types: undefined });
      added.push(webhook);
      expect(await testWebhook(house.app, webhook)).toMatchObject({ delivered: false, status: "REFUSED" });
    }
    for (const url of ["ftp://biz.example.com/", "http://u:p@biz.example.com/", "no address"])
      await expect(addWebhook(house.app, { url, shop: null, types: undefined })).rejects.toThrow();
  });

  it("leaves nothing behind when it is removed", async () => {
    const webhook = await subscribe(house, receiver, { shop: house.shop });
    await place();
    await receiver.got(1);
    await removeWebhook(house.app, webhook);
    await place();
    await pause();
    expect(receiver.requests).toHaveLength(1);
    expect((await house.db.read([readCursor(webhook, stream())]))[0]).toEqual([]);
  });

  it("costs an order no statement where there is none", async () => {
    expect(await house.app.webhooks.refresh()).toEqual(new Set());
    const read = jest.spyOn(house.app.db, "read");
    const flight = jest.spyOn(house.app.db, "flight");
    await place();
    const texts = [
      ...read.mock.calls.flatMap(([all]) => all),
      ...flight.mock.calls.flatMap(([{ statements }]) => statements),
    ]
      .map((statement) => ("guard" in statement ? statement.sql.text : statement.text))
      .filter((text) => /\bwebhook/.test(text) && !text.includes("DISTINCT types"));
    read.mockRestore();
    flight.mockRestore();
    expect(texts).toEqual([]);
  });
});

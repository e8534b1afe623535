/**
 * A fault run: a shop on its own servers, simulated users, rounds of faults from one seed, and the ledger that judges.
 * Between two storms everything is repaired; then each screen must show what the database has.
 */
import { createClient } from "../../clients/node.ts";
import { memoryStore } from "../../clients/platform.ts";
import { sql } from "../../db/sql.ts";
import type { BoardState, OrderView } from "../../shared/protocol.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import type { Engine, TestDatabase } from "../_engines.ts";
import { openHouse } from "../_house.ts";
import { type Finding, Ledger, type Reading, type Truth, verdictOf } from "./_ledger.ts";
import { ask, cook, eat, type Guest, own, type Person, pause, talk } from "./_people.ts";
import { makeRandom, planRound } from "./_plan.ts";
import { TextReader } from "./_reader.ts";
import { checkMs, openStorage, World } from "./_world.ts";

export interface RunOptions {
  readonly engine: Engine;
  readonly seed: number;
  readonly stormMs: number;
  readonly processes?: number;
  /** Another round? Asked before each. */
  readonly goesOn: (round: number) => boolean;
  /** A line of progress. */
  readonly say?: (line: string) => void;
}

export interface Outcome {
  readonly findings: readonly Finding[];
  /** `held: lost 0, …` or `BROKEN: …` */
  readonly verdict: string;
  readonly figures: {
    readonly orders: number;
    readonly steps: number;
    readonly messages: number;
    readonly events: number;
    readonly shown: number;
    readonly faults: number;
    readonly restores: number;
    /** The longest time from the repair until every screen was right. */
    readonly rightAfterMs: number;
  };
}

/** A screen, and the check whether it is right. */
interface Screen {
  readonly name: string;
  /** What it shows, as text that can be compared. */
  shows(): string;
  /** What it should show, by a server's answer. @returns undefined when there was none */
  truth(): Promise<string | undefined>;
  close(): void;
}

/** A screen that is still wrong after this time has failed. The longest check interval is a twentieth of it. */
const timeLimitMs = checkMs.other * 20;

export async function runFaults(options: RunOptions): Promise<Outcome> {
  const { engine, seed, stormMs, goesOn, say = () => {} } = options;
  const processes = engine.name === "pglite" ? 1 : (options.processes ?? 2);
  const random = makeRandom(seed);
  const ledger = new Ledger();
  const storage = await openStorage(engine);
  const shop = await prepare(engine, storage.db);
  if (engine.name === "pglite") await storage.db.close();
  const world = new World(engine, storage, ledger);
  await world.start(processes);
  const urls = world.urls();
  const screens = await openScreens(ledger, urls, shop);
  const figures = { faults: 0, restores: 0, rightAfterMs: 0 };
  const scene = { processes, embedded: engine.name === "pglite" };

  for (let round = 0; goesOn(round); round++) {
    const plan = planRound(random, round, stormMs, scene);
    let storm = true;
    const working = () => storm;
    const people = [
      ...shop.guests.map((guest) =>
        eat(guest, { ledger, random: makeRandom(random() * 2 ** 31), urls, shop: shop.id, working }),
      ),
      cook(screens.kitchen, { ledger, random: makeRandom(random() * 2 ** 31), orders: screens.orders, working }),
      own(shop.owner, { random: makeRandom(random() * 2 ** 31), urls, shop: shop.id, working }),
      ...screens.members.map(({ reader, user }) =>
        talk(reader, { ledger, random: makeRandom(random() * 2 ** 31), room: shop.room, sender: user, working }),
      ),
    ];
    const begunAt = performance.now();
    for (const { atMs, fault } of plan) {
      await pause(Math.max(0, begunAt + atMs - performance.now()));
      say(`${Math.round(performance.now() - begunAt)} ms ${JSON.stringify(fault)}`);
      await world.break(fault);
      figures.faults += 1;
      if (fault.kind === "restore") figures.restores += 1;
    }
    await pause(Math.max(0, begunAt + stormMs - performance.now()));
    await world.mended();
    storm = false;
    await Promise.all(people);
    const rightAfterMs = await untilRight(screens.all, ledger);
    figures.rightAfterMs = Math.max(figures.rightAfterMs, rightAfterMs);
    if (engine.name !== "pglite") {
      const wrong = ledger.judge(await readTruth(storage.db, shop.id));
      say(`round ${round + 1}, ${plan.length} faults, all right after ${rightAfterMs} ms, ${verdictOf(wrong)}`);
      if (wrong.length > 0) break;
    }
  }

  for (const screen of screens.all) screen.close();
  screens.kitchen.close();
  await world.stop();
  for (const line of world.surprises) ledger.found("surprises", line);
  const db = await storage.reopen();
  const truth = await readTruth(db, shop.id);
  const findings = ledger.judge(truth);
  if (engine.name === "pglite") await db.close();
  await storage.remove();
  return {
    findings,
    verdict: verdictOf(findings),
    figures: {
      ...figures,
      orders: truth.orders.length,
      steps: ledger.steps.length,
      messages: ledger.said.length,
      events: truth.events.length,
      shown: ledger.readings.reduce((sum, { shown }) => sum + shown.length, 0),
    },
  };
}

// --- The shop ------------------------------------------------------------------------------------------------------

interface Shop {
  readonly id: string;
  readonly guests: Guest[];
  readonly cook: Person;
  readonly owner: Person;
  readonly pairingCodes: string[];
  readonly room: string;
  readonly grant: string;
}

const guests = 6;

/** Everybody signs in before the first fault, so that no session is lost with a copy. */
async function prepare(engine: Engine, db: TestDatabase): Promise<Shop> {
  const house = await openHouse(engine, { db });
  const people = await Promise.all(Array.from({ length: guests }, () => house.guest()));
  const [cook, owner] = await Promise.all([house.staff("kitchen"), house.staff("owner")]);
  await house.http("PUT", `/shops/${house.shop}/dishes/bun/stock`, { token: owner.token, body: { stock: 200 } });
  const { code } = await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device: "cook", by: null });
  const made = await house.http("POST", "/rooms", { token: String(people[0]?.token), body: {} });
  const shop = {
    id: house.shop,
    guests: people.map(({ user, token }) => ({ user, token, submitted: [] })),
    cook: { user: cook.user, token: cook.token },
    owner: { user: owner.user, token: owner.token },
    pairingCodes: [code],
    room: made.body.room.stream,
    grant: made.body.grant,
  };
  await house.stop();
  return shop;
}

// --- Screens -------------------------------------------------------------------------------------------------------

interface Screens {
  readonly all: Screen[];
  /** The cook's client, and what it shows. */
  readonly kitchen: ReturnType<typeof createClient>;
  readonly orders: () => readonly OrderView[];
  readonly members: { readonly reader: TextReader; readonly user: string }[];
}

const listOf = (orders: readonly OrderView[]) =>
  JSON.stringify(orders.map(({ id, version, status }) => `${id} ${version} ${status}`).toSorted());

/** A guest's stream has no event for escalation, which counts as a version: so only states are compared. */
const statesOf = (orders: readonly OrderView[]) =>
  JSON.stringify(orders.map(({ id, status }) => `${id} ${status}`).toSorted());

async function openScreens(ledger: Ledger, urls: readonly string[], shop: Shop): Promise<Screens> {
  const first = urls[0] as string;
  const last = urls.at(-1) as string;
  const all: Screen[] = [];

  /** Every open order, page by page, with the position of the first page. */
  const kitchenAt = async (url: string) => {
    const path = `/shops/${shop.id}/orders`;
    const first = await ask(url, "GET", path, { token: shop.cook.token });
    if (first?.status !== 200) return undefined;
    const orders: OrderView[] = [...first.body.orders];
    for (let page = first; page.body.more; orders.push(...page.body.orders)) {
      const next = await ask(url, "GET", `${path}?before=${orders.at(-1)?.id}`, { token: shop.cook.token });
      if (next?.status !== 200) return undefined;
      page = next;
    }
    return { orders, position: first.body.position };
  };
  const readKitchen = async () => {
    const read = await kitchenAt(first);
    return read && listOf(read.orders);
  };

  // The cook's client: the SDK as a page has it.
  const kitchen = createClient({ url: first, guest: false });
  await kitchen.pair(shop.pairingCodes[0] as string);
  let orders: OrderView[] = [];
  const kitchenReading = ledger.reading("SDK kitchen", `shop:${shop.id}`);
  const watch = kitchen.watch("orders", {
    shop: shop.id,
    onChange(list, { event, snapshot, answer }) {
      orders = list;
      noteEvent(kitchenReading, snapshot ? Number(answer?.position?.seq ?? 0) : undefined, event);
    },
  });
  all.push({ name: "SDK kitchen", shows: () => listOf(orders), truth: readKitchen, close: () => watch.close() });

  // The same stream at each process, read by the text of the protocol alone.
  for (const [at, url] of urls.entries()) {
    const list = new Map<string, OrderView>();
    const reader = new TextReader({
      url,
      token: shop.cook.token,
      stream: `shop:${shop.id}`,
      reading: ledger.reading(`text kitchen ${at}`, `shop:${shop.id}`),
      async snapshot() {
        const read = await kitchenAt(url);
        if (read === undefined) throw new Error("no snapshot");
        list.clear();
        for (const order of read.orders) list.set(order.id, order);
        return read;
      },
      onEvent({ event, data }) {
        if (!event.startsWith("order.")) return;
        const { order } = data as { order: OrderView };
        if (["completed", "rejected", "cancelled", "expired"].includes(order.status)) list.delete(order.id);
        else list.set(order.id, order);
      },
    });
    all.push({
      name: `text kitchen ${at}`,
      shows: () => listOf([...list.values()]),
      truth: readKitchen,
      close: () => reader.close(),
    });
  }

  // One guest's own orders, the menu and the board, as pages have them.
  const guest = shop.guests[0] as Guest;
  const session = {
    id: "",
    token: guest.token,
    kind: "guest",
    expiresAt: "2100-01-01T00:00:00Z",
    user: { id: guest.user },
  };
  const store = memoryStore();
  store.set("orderbell.session", JSON.stringify(session));
  const mine = createClient({ url: last, store, guest: false });
  let own: OrderView[] = [];
  const ownReading = ledger.reading("SDK guest", `user:${guest.user}`);
  mine.watch("orders", {
    onChange(list, { event, snapshot, answer }) {
      own = list;
      noteEvent(ownReading, snapshot ? Number(answer?.position?.seq ?? 0) : undefined, event);
    },
  });
  all.push({
    name: "SDK guest",
    // The newest hundred are a page; a list that was watched for long holds more.
    shows: () => statesOf(own.slice(0, 100)),
    async truth() {
      const answer = await ask(last, "GET", "/orders", { token: guest.token });
      return answer?.status === 200 ? statesOf(answer.body.orders) : undefined;
    },
    close: () => mine.close(),
  });
  let soldOut: readonly string[] = [];
  let board: BoardState | undefined;
  mine.watch("menu", {
    shop: shop.id,
    onChange(info) {
      soldOut = info.soldOut;
    },
  });
  mine.watch("board", {
    shop: shop.id,
    onChange(state) {
      board = state;
    },
  });
  const publicly = async (path: string) => (await ask(first, "GET", path, { token: guest.token }))?.body;
  all.push({
    name: "SDK menu",
    shows: () => JSON.stringify([...soldOut].toSorted()),
    truth: async () => {
      const info = await publicly(`/get_shop_info?shop=${shop.id}`);
      return info?.soldOut && JSON.stringify([...info.soldOut].toSorted());
    },
    close: () => {},
  });
  all.push({
    name: "SDK board",
    shows: () => JSON.stringify([board?.preparing, board?.ready]),
    truth: async () => {
      const answer = await publicly(`/shops/${shop.id}/board`);
      return answer?.board && JSON.stringify([answer.board.preparing, answer.board.ready]);
    },
    close: () => {},
  });

  const members = urls.map((url, at) => {
    const person = shop.guests[at] as Guest;
    const heard: string[] = [];
    const reading = ledger.reading(`member ${at}`, shop.room);
    const reader = new TextReader({
      url,
      token: person.token,
      stream: shop.room,
      grant: shop.grant,
      reading,
      onEvent: ({ seq, tag }) => void heard.push(`${seq} ${tag}`),
    });
    all.push({
      name: `member ${at}`,
      shows: () => String(reader.position?.tag),
      async truth() {
        // From the beginning without waiting: the last event of the last chunk is the head.
        let position = { epoch: "", seq: 0, tag: "" };
        for (;;) {
          const { epoch, seq, tag } = position;
          const asked = new URLSearchParams({ stream: shop.room, after: String(seq) });
          if (epoch !== "") for (const [name, value] of Object.entries({ epoch, tag })) asked.set(name, value);
          const answer = await ask(url, "GET", `/events?${asked}`, { token: person.token, grant: shop.grant });
          if (answer?.status !== 200 || answer.body.reset) return undefined;
          position = answer.body;
          if (!answer.body.more) return String(answer.body.tag);
        }
      },
      close: () => reader.close(),
    });
    return { reader, user: person.user };
  });
  return { all, kitchen, orders: () => orders, members };
}

function noteEvent(reading: Reading, restart: number | undefined, event?: { seq: number; tag: string }): void {
  if (restart !== undefined) reading.shown.push({ restart });
  else if (event !== undefined) reading.shown.push({ seq: event.seq, tag: event.tag });
}

/** @returns how long it took until every screen was right, ms */
async function untilRight(screens: readonly Screen[], ledger: Ledger): Promise<number> {
  const begunAt = performance.now();
  for (;;) {
    const wrong: string[] = [];
    for (const screen of screens) {
      const truth = await screen.truth();
      const shows = screen.shows();
      if (truth === undefined || truth !== shows) wrong.push(`${screen.name} shows ${shows}, true is ${truth}`);
    }
    const tookMs = Math.round(performance.now() - begunAt);
    if (wrong.length === 0) return tookMs;
    if (tookMs > timeLimitMs) {
      for (const what of wrong) ledger.found("screens", what.slice(0, 2_000));
      return tookMs;
    }
    await pause(50);
  }
}

// --- The truth -----------------------------------------------------------------------------------------------------

const givenBack = ["rejected", "cancelled", "expired"];

async function readTruth(db: TestDatabase, shop: string): Promise<Truth> {
  const [orders, history, keys, events, messages, dishes, lines] = await db.read([
    sql`SELECT id, user_id, number, day, total_fen, version, status FROM orders WHERE shop_id = ${shop}`,
    sql`SELECT order_id, version, to_status FROM order_history`,
    sql`SELECT owner_id, idem_key, result_id FROM idempotency_keys`,
    sql`SELECT stream, seq, tag FROM events`,
    sql`SELECT stream, sender_id, message_id FROM room_messages`,
    sql`SELECT dish_id, day, stock, sold FROM dish_days`,
    sql`SELECT l.dish_id, l.quantity, o.day, o.status FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE l.counted = 1`,
  ]);
  return {
    orders: orders.map((row) => ({
      id: String(row.id),
      user: String(row.user_id),
      number: String(row.number),
      day: String(row.day),
      totalFen: Number(row.total_fen),
      version: Number(row.version),
    })),
    history: history.map((row) => ({
      order: String(row.order_id),
      version: Number(row.version),
      to: String(row.to_status),
    })),
    keys: keys.map((row) => ({
      user: String(row.owner_id),
      key: String(row.idem_key),
      order: String(row.result_id),
    })),
    events: events.map((row) => ({ stream: String(row.stream), seq: Number(row.seq), tag: String(row.tag) })),
    messages: messages.map((row) => ({
      room: String(row.stream),
      sender: String(row.sender_id),
      id: String(row.message_id),
    })),
    dishes: dishes.map((row) => ({
      dish: `${row.dish_id} ${row.day}`,
      stock: row.stock === null || row.stock === undefined ? null : Number(row.stock),
      sold: Number(row.sold),
    })),
    portions: lines
      .filter(({ status }) => !givenBack.includes(String(status)))
      .map((row) => ({ dish: `${row.dish_id} ${row.day}`, quantity: Number(row.quantity) })),
  };
}

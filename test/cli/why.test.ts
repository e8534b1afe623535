/** `orderbell why`: an order's story, with a screen that was cut off, one that acknowledged, an escalation, and a log that is gone. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listenForAdmin } from "../../cli/admin_socket.ts";
import type { StoryEntry } from "../../cli/order_story.ts";
import type { AdminAnswer } from "../../functions/admin.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, newKey, openHouse, openSocket, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";
import { cleanUp, newHome, within } from "./_cli.ts";

afterAll(cleanUp);

onEveryDialect((engine) => {
  let house: House;
  let home: string;
  let admin: Awaited<ReturnType<typeof listenForAdmin>>;
  beforeAll(async () => {
    house = await openHouse(engine, {
      settings: { escalateAfterSec: 60, expireAfterSec: 600 },
      environment: { LOG_LEVEL: "info" },
    });
    home = await newHome();
    admin = await listenForAdmin(home, (event) => house.call("admin", event) as Promise<AdminAnswer>);
  });
  afterAll(async () => {
    await admin.close();
    await house.close();
  });

  /** The house's log as a server keeps it. */
  function keepLog(lines: readonly string[] = house.lines): void {
    mkdirSync(join(home, "logs"), { recursive: true });
    writeFileSync(join(home, "logs", "1.jsonl"), lines.join(""));
  }

  async function tablet(device: string) {
    const { code } = await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device, by: null });
    const { session } = (await house.http("POST", "/login/staff", { body: { pairingCode: code } })).body;
    const http: House["http"] = (method, path, more) => house.http(method, path, { token: session.token, ...more });
    const connect = async (): Promise<TestSocket> => {
      const { ticket } = (await http("POST", "/session/ticket")).body;
      return openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
    };
    return { http, connect };
  }

  const why = async (order: string) => {
    const { code, out, err } = await within(["why", order, "--json"], { ORDERBELL_HOME: home });
    expect([code, err]).toEqual([0, ""]);
    return JSON.parse(out).story as { entries: StoryEntry[]; unknown: string[] };
  };

  it("why tells an order's way, by the names of the screens, from tap to acceptance", async () => {
    const stream = `shop:${house.shop}`;
    const position = async () => (await one.http("GET", `/shops/${house.shop}/orders`)).body.position;
    const [one, two] = [await tablet("window"), await tablet("grill")];
    const [first, second] = [await one.connect(), await two.connect()];
    await first.resume({ stream, ...(await position()) });
    await second.resume({ stream, ...(await position()) });
    // The first screen of a kitchen is an event too.
    const before = await position();

    // The window's socket dies before the order comes.
    first.socket.terminate();
    await until(
      () => house.lines.some((line) => line.includes('"event":"close"')),
      "the end of the socket was noticed",
    );
    const guest = await house.guest();
    const key = newKey();
    const { id, number } = (await guest.order({}, key)).body.order;
    expect((await guest.order({}, key)).status).toBe(200);
    const placed = await second.next("event", ({ event }) => event === "order.placed");
    second.say({ type: "check", streams: [{ stream, epoch: placed.epoch, seq: placed.seq, tag: placed.tag }] });
    await second.next("checked");

    house.clock.forward(61_000);
    await second.next("event", ({ event }) => event === "order.escalated");
    // The window comes back with what it had.
    const again = await one.connect();
    expect(await again.resume({ stream, ...before })).toMatchObject({ type: "resumed" });
    expect((await one.http("POST", `/orders/${id}/accept`, { body: {} })).status).toBe(200);
    await second.next("event", ({ event }) => event === "order.changed");
    keepLog();

    const { entries, unknown } = await why(id);
    const texts = entries.map(({ source, what }) => `${source}: ${what}`);
    const { seq } = placed;
    const at = (pattern: RegExp) => texts.findIndex((one) => pattern.test(one));
    const inOrder = [
      new RegExp(`^database: stored as ${number} of [\\d-]+, pickup$`),
      new RegExp(`^database: order\\.placed is event .*kitchen #${seq}\\b`),
      new RegExp(`^log: pushed kitchen #${seq} to 1 of 1 readers: "grill" \\(kitchen\\)$`),
      /^log: POST \/bill by the customer: 201 after \d+ ms; request [\w-]+$/,
      /^log: POST \/bill by the customer: 200 after \d+ ms, the same key again: nothing new was stored; request [\w-]+$/,
      new RegExp(`^log: acknowledged by "grill" \\(kitchen\\): kitchen #${seq}$`),
      /^database: escalate by the system: placed$/,
      /^database: order\.escalated is event kitchen #\d+$/,
      new RegExp(`^log: return of "window" \\(kitchen\\) brought kitchen #${seq}, #\\d+$`),
      /^database: accept by "window" \(kitchen\): placed → accepted$/,
      /^log: POST \/orders\/\{id\}\/accept by "window" \(kitchen\): 200 after \d+ ms; request [\w-]+$/,
    ];
    expect(inOrder.map(at).filter((place) => place < 0)).toEqual([]);
    expect(texts.filter((one) => inOrder.some((pattern) => pattern.test(one)))).toHaveLength(inOrder.length);
    // What is of the same millisecond may be in either order.
    for (const nth of [5, 7, 8]) expect(at(inOrder[nth] as RegExp)).toBeLessThan(at(inOrder[nth + 1] as RegExp));
    expect(entries.map((entry) => entry.at)).toEqual(entries.map((entry) => entry.at).toSorted());
    expect(unknown).toEqual([
      "an acknowledgement says that a screen has the order; whether it rang aloud is not reported",
    ]);

    const { out } = await within(["why", id], { ORDERBELL_HOME: home });
    expect(out).toMatch(new RegExp(`^order ${id}, ${number} of shop "noodle-house": accepted\\n\\n`));
    expect(out).toContain('acknowledged by "grill" (kitchen)');
    expect(out).not.toContain(guest.token);
    for (const socket of [again, second]) socket.close();
  });

  it("why says what a log does not reach, and who never had the order", async () => {
    const silent = await tablet("silent");
    const screen = await silent.connect();
    const stream = `shop:${house.shop}`;
    await screen.resume({ stream });
    const { id } = (await (await house.guest()).order()).body.order;
    await screen.next("event", ({ event }) => event === "order.placed");
    keepLog();
    const [named] = (await why(id)).unknown;
    expect(named).toMatch(/"silent" \(kitchen\) never said that the order was received$/);

    // Only the end of the log is left.
    house.clock.forward(1_000);
    await screen.resume({ stream });
    keepLog(house.lines.slice(-1));
    const cut = await why(id);
    expect(cut.unknown[0]).toMatch(
      /^the log \(ORDERBELL_HOME .*\) reaches back to \d{4}-.*Z: what was before it is not known$/,
    );

    rmSync(join(home, "logs"), { recursive: true });
    const none = await why(id);
    expect(none.entries.map(({ source }) => source)).toEqual(["database", "database"]);
    expect(none.unknown[0]).toMatch(/^no log is kept here/);
    screen.close();
  });

  it("why names an order that does not exist", async () => {
    const { code, err } = await within(["why", "01HZZZZZZZZZZZZZZZZZZZZZZZ"], { ORDERBELL_HOME: home });
    expect([code, err]).toEqual([1, 'ORDER_UNKNOWN: there is no order "01HZZZZZZZZZZZZZZZZZZZZZZZ"\n']);
  });
});

/** Guests, a cook, an owner and room members of a fault run. Each reports its answers to the ledger. */
import { randomBytes } from "node:crypto";
import type { Client } from "../../clients/node.ts";
import type { OrderView } from "../../shared/protocol.ts";
import type { Ledger, Submitted } from "./_ledger.ts";
import type { TextReader } from "./_reader.ts";

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the ledger checks what it reads
  readonly body: any;
}

/** One request over whatever is left of the network. @returns undefined when there was no answer */
export async function ask(
  url: string,
  method: string,
  path: string,
  { token, body, key, grant }: { token: string; body?: unknown; key?: string; grant?: string },
): Promise<Answer | undefined> {
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(grant === undefined ? {} : { "x-grant": grant }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  } catch {
    return undefined;
  }
}

export interface Person {
  readonly user: string;
  readonly token: string;
}

/** Valid answers of a shop in trouble, each with its consequence for the guest: another try, or another dish. */
const again = new Set(["DATABASE_AWAY", "STOPPING", "OVERLOADED", "TOO_MANY_REQUESTS", "BUSY"]);
const refused = new Set(["SOLD_OUT", "SHOP_CLOSED", "DISH_UNAVAILABLE", "STOCK_EXCEEDED"]);

/** A bill and what it must cost, by the menu of test/_house.ts. */
function billOf(random: () => number, shop: string): { body: object; wantedFen: number } {
  const drawn = random();
  if (drawn < 0.25)
    return {
      body: { shop, service: "pickup", lines: [{ dish: "bun", quantity: 1 + (drawn < 0.1 ? 1 : 0) }] },
      wantedFen: drawn < 0.1 ? 1_000 : 500,
    };
  if (drawn < 0.5)
    return { body: { shop, service: "pickup", lines: [{ dish: "tea", quantity: 2 }] }, wantedFen: 1_600 };
  const hot = drawn < 0.75;
  const egg = random() < 0.5;
  const quantity = random() < 0.3 ? 3 : 1;
  const options = [
    { option: "spice", choices: [hot ? "hot" : "mild"] },
    ...(egg ? [{ option: "extra", choices: ["egg"] }] : []),
  ];
  return {
    body: { shop, service: "pickup", lines: [{ dish: "beef", quantity, options }] },
    wantedFen: quantity * (2_800 + (hot ? 100 : 0) + (egg ? 300 : 0) + 100),
  };
}

export interface Guest extends Person {
  readonly submitted: Submitted[];
}

/** Orders until told to stop; each key is sent until it is answered, some of them doubled, some replayed much later. */
export async function eat(
  guest: Guest,
  {
    ledger,
    random,
    urls,
    shop,
    working,
  }: { ledger: Ledger; random: () => number; urls: readonly string[]; shop: string; working: () => boolean },
): Promise<void> {
  const anywhere = () => urls[Math.floor(random() * urls.length)] as string;
  while (working()) {
    await pause(random() * 250);
    const old = random() < 0.1 ? guest.submitted[Math.floor(random() * guest.submitted.length)] : undefined;
    const { body, wantedFen } = old === undefined ? billOf(random, shop) : (bills.get(old) ?? billOf(random, shop));
    const one: Submitted = old ?? {
      key: randomBytes(12).toString("base64url"),
      user: guest.user,
      wantedFen,
      answers: [],
    };
    if (old === undefined) {
      ledger.submitted.push(one);
      guest.submitted.push(one);
      bills.set(one, { body, wantedFen });
    }
    const copies = random() < 0.15 ? 2 : 1;
    await Promise.all(Array.from({ length: copies }, () => submit(one, body)));
  }

  async function submit(one: Submitted, body: object): Promise<void> {
    for (;;) {
      const answer = await ask(anywhere(), "POST", "/bill", { token: guest.token, body, key: one.key });
      if (answer === undefined || again.has(answer.body?.code)) {
        await pause(30 + random() * 100);
        continue;
      }
      if (answer.status === 200 || answer.status === 201) {
        const { order } = answer.body as { order: OrderView };
        one.answers.push({ order: order.id, totalFen: order.totalFen, atMs: Date.now() });
      } else if (!refused.has(answer.body?.code))
        ledger.found("surprises", `POST /bill ${answer.status} ${answer.body?.code}`);
      return;
    }
  }
}

const bills = new WeakMap<Submitted, { body: object; wantedFen: number }>();

const next = { placed: "accept", accepted: "cook", cooking: "ready", ready: "complete" } as const;

/** Takes steps on what its screen shows. A step may be refused: another screen was faster, or the screen is behind. */
export async function cook(
  client: Client,
  {
    ledger,
    random,
    orders,
    working,
  }: { ledger: Ledger; random: () => number; orders: () => readonly OrderView[]; working: () => boolean },
): Promise<void> {
  while (working()) {
    await pause(40 + random() * 120);
    const open = orders().filter(({ status }) => status in next);
    const order = open[Math.floor(random() * open.length)];
    if (order === undefined) continue;
    const action = next[order.status as keyof typeof next];
    try {
      const after = await client.step(order, action);
      ledger.steps.push({ order: after.id, version: after.version, status: after.status, atMs: Date.now() });
    } catch (error) {
      const code = (error as { code?: string }).code ?? String(error);
      if (code === "INTERNAL") ledger.found("surprises", `${action} ${code}`);
    }
  }
}

/** Switches a dish off and on. */
export async function own(
  owner: Person,
  {
    random,
    urls,
    shop,
    working,
  }: { random: () => number; urls: readonly string[]; shop: string; working: () => boolean },
): Promise<void> {
  for (let soldOut = true; working(); soldOut = !soldOut) {
    await pause(300 + random() * 900);
    const url = urls[Math.floor(random() * urls.length)] as string;
    await ask(url, "PUT", `/shops/${shop}/dishes/tea/sold_out`, { token: owner.token, body: { soldOut } });
  }
}

/** Publishes to a room: each message after the one before, sent again until it is answered. */
export async function talk(
  reader: TextReader,
  {
    ledger,
    random,
    room,
    sender,
    working,
  }: { ledger: Ledger; random: () => number; room: string; sender: string; working: () => boolean },
): Promise<void> {
  let after: string | undefined;
  for (let number = 1; working(); number++) {
    await pause(40 + random() * 160);
    const id = `${sender.slice(-6)}-${number}`;
    for (let outOfOrder = 0; ; ) {
      const answer = await reader.publish(id, after, { number });
      if (answer?.type === "published") {
        ledger.said.push({ room, sender, id, atMs: Date.now() });
        after = id;
        break;
      }
      // The message before it was lost with the database: this one begins anew.
      if (answer?.code === "PUBLISH_OUT_OF_ORDER" && ++outOfOrder > 3) after = undefined;
      if (answer?.code === "INTERNAL") ledger.found("surprises", `publish ${answer.code}`);
      if (!working()) break;
      await pause(50);
    }
  }
}

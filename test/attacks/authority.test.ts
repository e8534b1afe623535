/** Authority: every route, stream and step with everybody who may call it, from one table each. */
import { readApiKeys, revokeApiKey } from "../../db/sessions.ts";
import type { Operation } from "../../scripts/read_api.ts";
import { actions, actors } from "../../shared/order_states.ts";
import { type StreamKind, streamKinds } from "../../shared/protocol.ts";
import { newApiKey, type Scope, scopes } from "../../shared/sessions/api_key.ts";
import { addTables } from "../../shared/shop/tables.ts";
import { streamTable } from "../../shared/streams/authority.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { type Answer, newKey, type Person } from "../_house.ts";
import { type Comer, comers, database, exceptions, isOfShop, keyRights, people, routeRights } from "../_rights.ts";
import {
  api,
  cloudId,
  connected,
  digest,
  isServed,
  newCloudFile,
  newFile,
  nobody,
  openScene,
  operations,
  quiet,
  type Right,
  rightRequest,
  type Scene,
  send,
  toldIn,
} from "./_scene.ts";

describe("a route", () => {
  let scene: Scene;
  let tokens: Record<Comer, string | undefined>;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
    const { house, customer, other, owner, cashier, kitchen, neighbour, key } = scene;
    const keyOf = (name: string) => newApiKey(house.app, name, scopes, "next-door");
    const [{ key: neighbourKey }, { key: revokedKey }] = [await keyOf("neighbour"), await keyOf("revoked")];
    const [keys = []] = await house.db.read([readApiKeys()]);
    const revoked = keys.find(({ name }) => name === "revoked");
    await house.db.flight({ statements: [revokeApiKey(String(revoked?.id), house.clock.now())] });
    tokens = {
      nobody: undefined,
      customer: customer.token,
      other: other.token,
      owner: owner.token,
      cashier: cashier.token,
      kitchen: kitchen.token,
      neighbour: neighbour.token,
      key,
      neighbourKey,
      revokedKey,
    };
  });
  afterAll(() => scene.close());

  /** A valid request by this caller; the thing that it would end or remove is made first. */
  async function requestBy(comer: Comer, to: Operation): Promise<Right> {
    const { house, at } = scene;
    const right: Right = { ...rightRequest(scene, to), token: tokens[comer] };
    const own = async () => (comer === "nobody" ? undefined : comer === "kitchen" ? house.staff() : house.guest());
    switch (to.key) {
      case "POST /auth/v1/user/signout":
      case "DELETE /session": {
        if (!(people as readonly Comer[]).includes(comer)) return right;
        return { ...right, token: (await own())?.token };
      }
      case "POST /login/staff": {
        const made = await scene.owner.http("POST", `/shops/${at.shop}/pairing`, {
          body: { role: "kitchen", device: "x" },
        });
        return { ...right, body: { pairingCode: made.body.pairingCode } };
      }
      case "DELETE /shops/{shop}/tables/{table}": {
        const [made] = await addTables(house.app, null, house.shop, [newKey()]);
        return { ...right, path: { ...right.path, table: made?.token as string } };
      }
      case "DELETE /shops/{shop}/devices/{device}":
        return { ...right, path: { ...right.path, device: (await house.staff()).session } };
      case "DELETE /shops/{shop}/dishes/{dish}": {
        const id = "extra";
        const dish = { id, category: "noodles", names: { zh: "菜" }, priceFen: 100 };
        await scene.owner.http("PUT", `/shops/${at.shop}/dishes/${id}`, { body: dish });
        return { ...right, path: { ...right.path, dish: id } };
      }
      case "POST /v1/storages/delete-objects": {
        const path = `authority/${newKey()}`;
        await newCloudFile(scene.customer, path);
        return { ...right, body: [{ cloudObjectId: cloudId(path) }] };
      }
      case "DELETE /files/{id}":
        return { ...right, path: { ...right.path, id: await newFile(house, scene.customer, "private") } };
      case "PUT /shops/{shop}/dishes/{dish}/stock": {
        const { today } = (await scene.owner.http("GET", `/shops/${at.shop}/menu`)).body;
        const { etag } = today.find(({ dish }: { dish: string }) => dish === at.dish);
        return { ...right, headers: { "if-match": `"${etag}"` } };
      }
      case `POST ${database}/transactions/{transaction}/commit`:
      case `POST ${database}/transactions/{transaction}/rollback`: {
        const path = `${database}/transactions`.replace(/\{\w+\}/g, "(default)");
        const { body } = await house.http("POST", path, { token: right.token });
        return { ...right, path: { ...right.path, transaction: body.transactionId ?? at.transaction } };
      }
      case "GET /events":
        return { ...right, query: { stream: `shop:${at.shop}` } };
      default:
        return right;
    }
  }

  function expected(comer: Comer, { key }: Operation): string {
    const { for: served, else: code } = routeRights[key] as (typeof routeRights)[string];
    if (served.includes(comer)) return "served";
    const special = exceptions[key]?.[comer];
    if (special !== undefined) return special;
    if (/introspect|mina_auth|^POST .*messages/.test(key)) return code;
    if (comer === "nobody") return "SESSION_MISSING";
    if (!/key/i.test(comer)) return code;
    return isOfShop(key) && comer !== "revokedKey" ? code : "API_KEY_INVALID";
  }

  it("has a row in the role matrix", () => {
    expect(Object.keys(routeRights).toSorted()).toEqual(api.operations.map(({ key }) => key).toSorted());
  });

  it.each(operations.map((to) => [to.key, to] as const))(
    "%s serves the roles of the matrix; for the others nothing is written",
    async (_, to) => {
      const { db } = scene.house;
      const outcomes: [Comer, string][] = [];
      for (const comer of comers) {
        const request = await requestBy(comer, to);
        await quiet(scene.house);
        const before = await digest(db);
        const answer = await send(scene, to, request);
        const outcome = isServed(answer) ? "served" : (toldIn(answer) ?? "");
        outcomes.push([comer, outcome]);
        if (outcome !== "served") expect([comer, await digest(db)]).toEqual([comer, before]);
      }
      expect(outcomes).toEqual(comers.map((comer) => [comer, expected(comer, to)]));
    },
  );
});

/** Who may call, as openapi.yaml says it of each operation. */
type Paths = Record<string, Record<string, { readonly security?: readonly { readonly key?: readonly string[] }[] }>>;

describe("a scope of a key", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
  });
  afterAll(() => scene.close());

  /** Collections take every key as a visitor: test/live/callers. What is for anybody does not look at keys. */
  const tried = operations.filter(
    ({ key, path }) => routeRights[key]?.for !== comers && !/^\/(web|collections|v1|auth)/.test(path),
  );
  const owned = scopes.filter((scope) => !scope.startsWith("collections"));

  it("opens exactly its routes, which openapi.yaml names; without it nothing is written", async () => {
    const { house, at, owner } = scene;
    const tokens = new Map<Scope, string>();
    for (const scope of owned)
      tokens.set(scope, (await newApiKey(house.app, scope, [scope], scope === "publish" ? null : house.shop)).key);
    const file = await newFile(house, scene.customer, "private");
    const ask = async (scope: Scope, to: Operation) => {
      const right = { ...rightRequest(scene, to), token: tokens.get(scope) };
      if (to.key === "GET /events") return send(scene, to, { ...right, query: { stream: `shop:${at.shop}` } });
      if (to.key === "POST /orders/{id}/{action}" && scope === "orders:paid")
        return send(scene, to, { ...right, path: { ...right.path, action: "paid" }, body: {} });
      // The dish that other routes are about stays.
      if (to.key === "DELETE /shops/{shop}/dishes/{dish}")
        return send(scene, to, { ...right, path: { ...right.path, dish: "extra" } });
      if (to.key === "DELETE /files/{id}") return send(scene, to, { ...right, path: { ...right.path, id: file } });
      if (to.key !== "PUT /shops/{shop}/dishes/{dish}/stock") return send(scene, to, right);
      const { today } = (await owner.http("GET", `/shops/${at.shop}/menu`)).body;
      const { etag } = today.find(({ dish }: { dish: string }) => dish === at.dish);
      return send(scene, to, { ...right, headers: { "if-match": `"${etag}"` } });
    };
    const addExtra = () => {
      const dish = { id: "extra", category: "noodles", names: { zh: "菜" }, priceFen: 100 };
      return owner.http("PUT", `/shops/${at.shop}/dishes/extra`, { body: dish });
    };
    await quiet(house);
    const before = await digest(house.db);
    const wrong: unknown[] = [];
    for (const scope of owned)
      for (const to of tried.filter(({ key }) => keyRights[key]?.includes(scope) !== true)) {
        const { status, body } = await ask(scope, to);
        if (status !== 401 || body.code !== "API_KEY_INVALID") wrong.push([scope, to.key, status, body?.code]);
      }
    expect(wrong).toEqual([]);
    expect(await digest(house.db)).toEqual(before);
    const served: Record<string, readonly string[]> = {};
    for (const to of tried)
      for (const scope of keyRights[to.key] ?? []) {
        if (to.method === "DELETE") expect((await addExtra()).status).toBe(200);
        if (isServed(await ask(scope, to))) served[to.key] = [...(served[to.key] ?? []), scope];
      }
    expect(served).toEqual(keyRights);
    const written = tried.map(({ key, method, path }) => {
      const { security = [] } = (api.document.paths as Paths)[path]?.[method.toLowerCase()] ?? {};
      return [key, security.flatMap(({ key: of = [] }) => of)] as const;
    });
    expect(Object.fromEntries(written.filter(([, of]) => of.length > 0))).toEqual(keyRights);
  });
});

describe("another customer's or shop's data", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
  });
  afterAll(() => scene.close());

  const textOf = ({ status, text }: Answer, ...ids: string[]) =>
    [status, ids.reduce((left, id) => left.replaceAll(id, "<id>"), text)] as const;

  it("is answered for like what does not exist", async () => {
    const { house, at, customer, other, owner, neighbour, kitchen } = scene;
    const foreignTable = (await addTables(house.app, null, "next-door", ["far"]))[0]?.token as string;
    const foreignRoom = (await other.http("POST", "/rooms")).body.room.id as string;
    const placed = (await customer.order()).body.order.id as string;
    const bill = (table: string) => ({ shop: at.shop, lines: [{ dish: "tea", quantity: 1 }], service: "table", table });
    const keyed = () => ({ "idempotency-key": newKey() });
    const asks: readonly (readonly [
      Person,
      string,
      string,
      (id: string) => { path: string; body?: object },
      string,
      string,
    ])[] = [
      ...[other, neighbour].flatMap((who) => [
        [who, "order", "GET", (id: string) => ({ path: `/orders/${id}` }), placed, nobody] as const,
        [
          who,
          "line",
          "PUT",
          (id: string) => ({ path: `/orders/${id}/lines/1`, body: { struck: true } }),
          placed,
          nobody,
        ] as const,
        ...actions.map(
          (action) =>
            [
              who,
              action,
              "POST",
              (id: string) => ({ path: `/orders/${id}/${action}`, body: { version: 1 } }),
              placed,
              nobody,
            ] as const,
        ),
      ]),
      [owner, "device", "DELETE", (id) => ({ path: `/shops/${at.shop}/devices/${id}` }), neighbour.session, nobody],
      [
        owner,
        "device of a customer",
        "DELETE",
        (id) => ({ path: `/shops/${at.shop}/devices/${id}` }),
        customer.session,
        nobody,
      ],
      [owner, "table", "DELETE", (id) => ({ path: `/shops/${at.shop}/tables/${id}` }), foreignTable, "x".repeat(16)],
      [customer, "bill's table", "POST", (id) => ({ path: "/bill", body: bill(id) }), foreignTable, "x".repeat(16)],
      [
        customer,
        "info's table",
        "GET",
        (id) => ({ path: `/get_shop_info?shop=${at.shop}&table=${id}` }),
        foreignTable,
        "x".repeat(16),
      ],
      [
        owner,
        "told customer",
        "POST",
        (id) => ({ path: "/notify", body: { user: id, title: "x" } }),
        other.user,
        nobody,
      ],
      [
        neighbour,
        "told customer",
        "POST",
        (id) => ({ path: "/notify", body: { user: id, title: "x" } }),
        customer.user,
        nobody,
      ],
      ...["orders", "menu", "tables", "devices", "report"].map(
        (list) =>
          [kitchen, list, "GET", (id: string) => ({ path: `/shops/${id}/${list}` }), "next-door", "nowhere"] as const,
      ),
      [kitchen, "shop", "PUT", (id) => ({ path: `/shops/${id}/open`, body: { open: false } }), "next-door", "nowhere"],
      [
        kitchen,
        "told shop",
        "POST",
        (id) => ({ path: "/notify", body: { shop: id, title: "x" } }),
        "next-door",
        "nowhere",
      ],
      [customer, "shop's events", "GET", (id) => ({ path: `/events?stream=shop:${id}` }), "next-door", "nowhere"],
      [customer, "user's events", "GET", (id) => ({ path: `/events?stream=user:${id}` }), other.user, nobody],
      [customer, "room's members", "GET", (id) => ({ path: `/rooms/${id}/members` }), foreignRoom, nobody],
      [customer, "room's messages", "GET", (id) => ({ path: `/rooms/${id}/messages` }), foreignRoom, nobody],
      [customer, "room's events", "GET", (id) => ({ path: `/events?stream=room:${id}` }), foreignRoom, nobody],
    ];
    const before = await digest(house.db);
    for (const [who, what, method, ask, theirs, unknown] of asks) {
      const answers = [];
      for (const id of [theirs, unknown]) {
        const { path, body } = ask(id);
        const answer = await who.http(method, path, { headers: keyed(), ...(body === undefined ? {} : { body }) });
        expect([what, answer.status >= 400 && answer.status < 500]).toEqual([what, true]);
        answers.push(textOf(answer, id));
      }
      expect([what, answers[0]]).toEqual([what, answers[1]]);
    }
    expect(await digest(house.db)).toEqual(before);
  });

  it("is not returned for the same idempotency key", async () => {
    const [first, second] = [await scene.house.guest(), await scene.house.guest()];
    const key = newKey();
    const [mine, theirs] = [await first.order({}, key), await second.order({}, key)];
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(mine.body.order.id).not.toBe(theirs.body.order.id);
  });

  it("is not readable through a cursor", async () => {
    const { customer, other } = scene;
    const { id } = (await customer.order()).body.order;
    const { orders } = (await other.http("GET", `/orders?before=${id}`)).body;
    expect(JSON.stringify(orders)).not.toContain(customer.user);
    expect(orders.map((order: { id: string }) => order.id)).not.toContain(id);
  });

  it("hides from a customer what staff alone may see", async () => {
    const { customer, other, owner, at, house } = scene;
    const secrets = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    const bill = { service: "delivery", delivery: secrets, lines: [{ dish: "bun", quantity: 5 }] };
    const placed = await customer.order(bill);
    expect(placed.status).toBe(201);
    const { id } = placed.body.order;
    await owner.http("POST", `/orders/${id}/accept`, { body: {} });
    const own = await Promise.all(
      [`/orders/${id}`, "/orders", `/events?stream=user:${customer.user}&after=0`].map((path) =>
        customer.http("GET", path),
      ),
    );
    const open = await Promise.all(
      [`/shops/${at.shop}/board`, `/get_shop_info?shop=${at.shop}`].map((path) => house.http("GET", path)),
    );
    for (const { text } of own) expect(text).toMatch(/13900001234/);
    for (const { text } of [...own, ...open]) expect(text).not.toMatch(/struck|escalatedAt|station/);
    const others = await Promise.all(
      [`/orders/${id}`, "/orders", `/events?stream=user:${customer.user}&after=0`].map((path) =>
        other.http("GET", path),
      ),
    );
    for (const { text } of [...others, ...open]) expect(text).not.toMatch(/13900001234|测试路/);
    expect((await owner.http("GET", `/orders/${id}`)).body.order.delivery).toEqual(secrets);
  });
});

// --- Streams and steps: the tables of docs/protocol.md ---------------------------------------------------------------

onEveryDialect((engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(engine);
  });
  afterAll(() => scene.close());

  type Name = "customer" | "other" | "owner" | "cashier" | "kitchen" | "neighbour";
  const names: readonly Name[] = ["customer", "other", "owner", "cashier", "kitchen", "neighbour"];

  /** Whether this party reads a stream of this kind, by the table that docs/protocol.md is checked against. */
  function reads(kind: StreamKind, name: Name): boolean {
    const allowed: readonly string[] = streamTable[kind].reads;
    if (allowed.includes("anyone") || allowed.includes(name)) return true;
    // `user:` is the customer's own; of the room the customer alone holds a grant.
    return name === "customer" && (allowed.includes("itself") || allowed.includes("granted"));
  }

  it("streams are read and written by exactly those whom the protocol's table names, by socket and by polling", async () => {
    const { house, at, customer } = scene;
    const ids = { shop: at.shop, user: customer.user, menu: at.shop, board: at.shop, room: at.room, presence: at.room };
    const { grant } = (await customer.http("POST", `/rooms/${at.room}/grants`, { body: { user: customer.user } })).body;
    const outcomes: Record<string, boolean> = {};
    const wanted: Record<string, boolean> = {};
    for (const name of names) {
      const socket = await scene[name].connect();
      for (const kind of streamKinds) {
        const stream = `${kind}:${ids[kind]}`;
        // Everybody shows the customer's grant, as if it had been overheard.
        const { type } = await socket.resume({ stream, grant });
        const polled = await scene[name].http("GET", `/events?stream=${stream}`, { headers: { "x-grant": grant } });
        const [verb, answer] =
          kind === "presence" ? (["enter", "entered"] as const) : (["publish", "published"] as const);
        const n = socket.say({ type: verb, stream, grant, id: newKey(), data: {} });
        const said = await Promise.race([
          socket.next(answer, (frame) => frame.n === n).then(() => true),
          socket.next("error", (frame) => frame.n === n).then(() => false),
        ]);
        Object.assign(outcomes, {
          [`${name} reads ${kind}`]: type === "resumed",
          [`${name} polls ${kind}`]: polled.status === 200,
          [`${name} writes ${kind}`]: said,
        });
        Object.assign(wanted, {
          [`${name} reads ${kind}`]: reads(kind, name),
          [`${name} polls ${kind}`]: reads(kind, name),
          [`${name} writes ${kind}`]: streamTable[kind].writes.length > 0 && reads(kind, name),
        });
      }
      socket.close();
    }
    expect(outcomes).toEqual(wanted);
    for (const kind of streamKinds) {
      const { status } = await house.http("GET", `/events?stream=${kind}:${ids[kind]}`, {
        headers: { "x-grant": grant },
      });
      expect([kind, status]).toEqual([kind, kind === "menu" || kind === "board" ? 200 : 401]);
    }
    await connected(house, 0);
  });

  /** The steps that lead to where the action is possible. */
  const road: Readonly<Record<(typeof actions)[number], readonly string[]>> = {
    accept: [],
    reject: [],
    cancel: [],
    paid: [],
    cook: ["accept"],
    ready: ["accept"],
    recall: ["accept", "ready"],
    deliver: ["accept", "ready"],
    complete: ["accept", "ready", "deliver"],
  };

  it.each(actions)("the step %s is taken by exactly those whom the protocol's table names", async (action) => {
    const { customer, owner, house } = scene;
    const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    const bill = { service: "delivery", delivery, lines: [{ dish: "tea", quantity: 3 }] };
    const outcomes: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const name of names) {
      const { id } = (await customer.order(bill)).body.order;
      for (const step of road[action]) expect((await owner.http("POST", `/orders/${id}/${step}`)).status).toBe(200);
      const version = road[action].length + 1;
      await quiet(house);
      const before = await digest(house.db);
      const answer = await scene[name].http("POST", `/orders/${id}/${action}`, { body: { version } });
      outcomes[name] = answer.status === 200 ? "taken" : answer.body.code;
      const stranger = name === "other" || name === "neighbour";
      const may = !stranger && actors[action].includes(name);
      wanted[name] = may ? "taken" : stranger ? "ORDER_UNKNOWN" : "FORBIDDEN";
      if (!may) expect(await digest(house.db)).toEqual(before);
    }
    expect(outcomes).toEqual(wanted);
  });
});

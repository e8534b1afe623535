/** The zips of a deployment, run as Lambda runs them: the core stories pass through them, frozen after every answer. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageEvent } from "../../apigateway/local/build_events.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import type { AdminAnswer } from "../../functions/admin.ts";
import { functionNames, type Variant } from "../../scripts/build.ts";
import type { OrderEvent } from "../../shared/protocol.ts";
import { type Engine, servers } from "../_engines.ts";
import { newKey, oneBowl, type Person, type TestSocket } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { type BundleHouse, openBundles, zipsOf } from "./_house.ts";
import { startLambda } from "./_lambda.ts";

const program = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };

/** Aurora's functions on one engine, those of a database of one's own on the other: both ways to WeChat are walked. */
const variants: Record<string, Variant> = {
  postgres: { engine: "postgres", network: false },
  mysql: { engine: "mysql", network: true },
};

describe.each(servers.map((engine) => [engine.name, engine] as const))("%s", (name, engine: Engine) => {
  const run = engine.here ? it : it.skip;
  let folder: string;
  let zips: Map<string, Uint8Array>;
  let standIn: StandIn;
  let wire: Wire;
  let house: BundleHouse;

  beforeAll(async () => {
    if (!engine.here) return;
    folder = mkdtempSync(join(tmpdir(), "orderbell-zips-"));
    zips = await zipsOf(variants[name] as Variant, folder);
    standIn = await startWechat({ apps: [program] });
    wire = await startProxy(engine.server);
    house = await openBundles(through(engine, wire), {
      variant: variants[name] as Variant,
      zips,
      wechatUrl: standIn.url,
    });
  }, 120_000);

  afterAll(async () => {
    if (!engine.here) return;
    await house.close();
    await Promise.all([wire.close(), standIn.close()]);
    rmSync(folder, { recursive: true });
  });

  const loginWithWechat = async (): Promise<Person> => {
    const { status, body } = await house.http("GET", "/login", { headers: { "x-wx-code": standIn.newCode() } });
    expect(status).toBe(201);
    const { token, id } = body.session;
    const http: Person["http"] = (method, path, more) => house.http(method, path, { token, ...more });
    return { ...(await house.guest()), token, session: id, user: body.user.id, http };
  };

  run("each function loads nothing but its own file", async () => {
    for (const one of functionNames()) {
      const alone = startLambda({ zips, environmentOf: () => ({}) });
      try {
        // Loading needs neither database nor secrets; the call then says what is missing.
        await alone.invoke(one, {}).catch(() => {});
        expect([one, alone.environments[0]?.loaded]).toEqual([one, [`functions/${one}.js`]]);
      } finally {
        alone.close();
      }
    }
  });

  run(
    "an order goes from WeChat's login to the kitchen and back, with functions frozen between the steps",
    async () => {
      const added = (await house.lambda.invoke("admin", { command: "app.add", args: program })) as AdminAnswer;
      expect(added).toMatchObject({ ok: { added: expect.any(String) } });
      const customer = await loginWithWechat();
      const kitchen = await house.staff("kitchen");
      const screen = await kitchen.connect();
      expect((await screen.resume({ stream: `shop:${house.shop}` })).type).toBe("resumed");

      const bill = { shop: house.shop, ...oneBowl };
      const key = newKey();
      const place = () => customer.http("POST", "/bill", { body: bill, headers: { "idempotency-key": key } });
      const placed = await place();
      expect(placed.status).toBe(201);
      const { id } = placed.body.order;
      const rung = await screen.next("event", ({ event }) => event === "order.placed");
      expect((rung.data as OrderEvent).order.id).toBe(id);
      expect(await place()).toMatchObject({ status: 200, body: { order: { id } } });

      let version = 1;
      for (const action of ["accept", "cook", "ready", "complete"]) {
        const step = await kitchen.http("POST", `/orders/${id}/${action}`, { body: { version: version++ } });
        expect([action, step.status]).toEqual([action, 200]);
        const { data } = await screen.next("event", ({ event }) => event === "order.changed");
        expect(data as OrderEvent).toMatchObject({ action, order: { id, version } });
      }
      expect((await customer.http("GET", `/orders/${id}`)).body.order.status).toBe("completed");

      // What a screen missed while it was away comes with resume, in order.
      screen.close();
      await screen.closed;
      await customer.http("POST", "/bill", { body: bill, headers: { "idempotency-key": newKey() } });
      const again = await kitchen.connect();
      const { epoch, seq, tag } = rung;
      const resumed = await again.resume({ stream: `shop:${house.shop}`, epoch, seq, tag });
      if (resumed.type !== "resumed") throw new Error(resumed.type);
      const seqs = resumed.events.map((event) => event.seq);
      expect(seqs).toEqual(seqs.map((_, at) => seq + 1 + at));
      expect(resumed.events.map(({ event }) => event).filter((event) => event.startsWith("order."))).toEqual([
        ...Array(4).fill("order.changed"),
        "order.placed",
      ]);

      const head = resumed.events.at(-1);
      again.say({ type: "check", streams: [{ stream: `shop:${house.shop}`, epoch, seq: head?.seq, tag: head?.tag }] });
      expect((await again.next("checked")).streams).toEqual([expect.objectContaining({ seq: head?.seq })]);
      again.close();
      await again.closed;
    },
  );

  run("clients and business servers with Wafer's SDKs sign in, and their session places an order", async () => {
    const args = { name: "business server", scopes: ["sessions"] };
    const { ok } = (await house.lambda.invoke("admin", { command: "keys.add", args })) as { ok: { key: string } };
    const ask = async (interfaceName: string, para: object) =>
      (await house.http("POST", "/mina_auth/", { token: ok.key, body: { interface: { interfaceName, para } } })).body;
    const code = standIn.newCode("openid-of-wafer");
    const { encryptedData, iv } = standIn.encrypt(code, { nickName: "王小明" });
    const begun = await ask("qcloud.cam.id_skey", { code, encrypt_data: encryptedData, iv });
    expect(begun).toMatchObject({ returnCode: 0, returnData: { user_info: { nickName: "王小明" } } });
    const { id, skey } = begun.returnData;
    expect((await ask("qcloud.cam.auth", { id, skey })).returnMessage).toBe("AUTH_SUCCESS");
    expect((await ask("qcloud.cam.auth", { id, skey: `${skey}x` })).returnCode).toBe(60_012);

    const headers = { "x-wx-code": standIn.newCode("openid-of-wafer") };
    const direct = (await house.http("GET", "/weapp/login", { headers })).body;
    expect([direct.code, direct.session.id, direct.data.userinfo.nickName]).toEqual([0, id, "王小明"]);
    const placed = await house.http("POST", "/bill", {
      headers: { "x-wx-id": id, "x-wx-skey": direct.data.skey, "idempotency-key": newKey() },
      body: { shop: house.shop, ...oneBowl },
    });
    expect(placed.status).toBe(201);
  });

  run("a push to many is handed to a function of its own", async () => {
    const [guest, owner] = [await house.guest(), await house.staff("owner")];
    const socket = await guest.connect();
    expect((await socket.resume({ stream: `menu:${house.shop}` })).type).toBe("resumed");
    expect((await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } })).status).toBe(200);
    const told = await socket.next("event");
    expect(told.stream).toBe(`menu:${house.shop}`);
    expect((await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } })).status).toBe(200);
    expect(house.aws.asked).toContain("shop lambda:InvokeFunction orderbell-dev-fan_out");
    socket.close();
    await socket.closed;
  });

  run("the owner gets an address in the bucket for a picture of these bytes and this type only", async () => {
    const owner = await house.staff("owner");
    const body = { type: "image/png", bytes: 4_321 };
    const { status, body: place } = await owner.http("POST", `/shops/${house.shop}/pictures`, { body });
    expect(status).toBe(201);
    const url = new URL(place.upload.url);
    expect(url.origin).toBe("https://PictureBucket.s3.us-east-1.amazonaws.com".toLowerCase());
    expect(url.pathname).toMatch(/^\/files\/[A-Za-z0-9_-]{22}$/);
    expect(place.picture).toMatch(/^\/files\/[0-9A-Z]{26}\/content$/);
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe("content-length;content-type;host;if-none-match");
    expect(url.searchParams.get("X-Amz-Security-Token")).toBe("picture");
    expect(place.upload.headers).toMatchObject({ "content-type": "image/png" });
  });

  run("the higher number wins, in whatever order a client's frames are served", async () => {
    const kitchen = await house.staff("kitchen");
    const stream = `shop:${house.shop}`;
    const screen = await kitchen.connect();
    await screen.resume({ stream });
    const connection = [...house.server.connections.all()].find(({ socket }) => socket.readyState === 1)?.id ?? "";
    const frame = (n: number, type: string) =>
      house.lambda.invoke(
        "ws_transmit",
        messageEvent(
          JSON.stringify({ n, type, ...(type === "leave" ? { streams: [stream] } : { streams: [{ stream }] }) }),
          `m${n}`,
          known(connection),
        ),
      );
    // Numbers 2 to 7, the last a resume; all at once and from the back, so that many environments race.
    const last = await Promise.all([7, 2, 6, 3, 5, 4].map((n) => frame(n, n % 2 === 0 ? "leave" : "resume")));
    expect(last).toHaveLength(6);
    const placed = await (await house.guest()).order();
    const rung = await screen.next("event", ({ data }) => (data as OrderEvent).order?.id === placed.body.order.id);
    expect(rung.stream).toBe(stream);

    // And once more with a `leave` at the end: nothing comes any more, which the answer to the last number proves.
    await Promise.all([12, 11, 9, 10, 8].map((n) => frame(n, n % 2 === 0 ? "leave" : "resume")));
    const unheard = await (await house.guest()).order();
    await frame(13, "resume");
    const answer = await screen.next("resumed", ({ n }) => n === 13);
    expect(answer.n).toBe(13);
    const pushed = screen.frames.filter(
      (one) => one.type === "event" && (one.data as OrderEvent).order?.id === unheard.body.order.id,
    );
    expect(pushed).toEqual([]);
    await close(screen);
  });

  run("functions work again when their database connections died while they were frozen", async () => {
    const customer = await house.guest();
    expect((await customer.order()).status).toBe(201);
    wire.cut();
    wire.mend();
    // The same environments: none was started anew.
    const before = house.lambda.environments.filter((one) => one.name === "bill").length;
    const placed = await customer.order();
    expect(placed.status).toBe(201);
    expect((await customer.http("GET", `/orders/${placed.body.order.id}`)).status).toBe(200);
    expect(house.lambda.environments.filter((one) => one.name === "bill")).toHaveLength(before);
  });

  run("functions answer 503 and when to retry while the database is away, and serve the same order then", async () => {
    const customer = await house.guest();
    const key = newKey();
    wire.cut();
    const refused = await customer.order({}, key);
    expect(refused).toMatchObject({ status: 503, body: { code: expect.any(String) } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    wire.mend();
    expect((await customer.order({}, key)).status).toBe(201);
  });

  run("functions leave nothing pending behind an answer, and use no right that they lack", async () => {
    await house.lambda.idle();
    expect(house.lambda.pending).toEqual([]);
    expect(house.aws.asked.filter((line) => line.endsWith("refused"))).toEqual([]);
    expect(house.lambda.lines.filter((line) => /push\.failed|"INTERNAL"/.test(line))).toEqual([]);
    // A secret is read once by each environment, not by each call.
    const reads = house.aws.asked.filter((line) => line === "bill secretsmanager:GetSecretValue arn:SigningKey").length;
    expect(reads).toBe(house.lambda.environments.filter((one) => one.name === "bill").length);
  });

  run("init_db makes the tables as a custom resource, and fails the deployment with the reason", async () => {
    const bare = await engine.open({ tables: false });
    const answers: Record<string, string>[] = [];
    const cloudFormation = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        answers.push({ method: request.method ?? "", ...JSON.parse(body) });
        response.end();
      });
    });
    await new Promise<void>((resolve) => cloudFormation.listen(0, "127.0.0.1", resolve));
    const event = (more: object) => ({
      ResponseURL: `http://127.0.0.1:${(cloudFormation.address() as AddressInfo).port}/`,
      StackId: "stack",
      RequestId: "request",
      LogicalResourceId: "Schema",
      ...more,
    });
    const start = (url: string) =>
      startLambda({
        zips,
        environmentOf: () => ({
          DATABASE_URL: url,
          SIGNING_KEY: "A".repeat(43),
          DATABASE_WAIT_MS: "0",
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: "a",
          AWS_SECRET_ACCESS_KEY: "b",
        }),
      });
    const good = start(bare.url);
    const wrong = start(bare.url.replace(/\/\/[^/]*\//, "//somebody:a-password@127.0.0.1:1/"));
    try {
      await good.invoke("init_db", event({ RequestType: "Create", ResourceProperties: { SchemaVersion: "1" } }));
      expect(answers.pop()).toMatchObject({ method: "PUT", Status: "SUCCESS", PhysicalResourceId: "schema" });
      expect(await good.invoke("init_db", {})).toEqual({ applied: [] });

      const update = { RequestType: "Update", PhysicalResourceId: "schema" };
      await wrong.invoke("init_db", event({ ...update, ResourceProperties: { SchemaVersion: "2" } }));
      const failed = answers.pop() as Record<string, string>;
      expect(failed).toMatchObject({ Status: "FAILED", PhysicalResourceId: "schema" });
      expect(failed.Reason).toMatch(/^DATABASE_URL: nothing listens at 127\.0\.0\.1:1 \(ECONNREFUSED\)$/);
      expect(JSON.stringify(failed)).not.toContain("a-password");

      // Rolling back needs no database at all, and deleting leaves it alone.
      const back = { ResourceProperties: { SchemaVersion: "1" }, OldResourceProperties: { SchemaVersion: "2" } };
      await wrong.invoke("init_db", event({ ...update, ...back }));
      expect(answers.pop()).toMatchObject({ Status: "SUCCESS" });
      await wrong.invoke("init_db", event({ RequestType: "Delete", ResourceProperties: {} }));
      expect(answers.pop()).toMatchObject({ Status: "SUCCESS" });
      expect([...good.pending, ...wrong.pending]).toEqual([]);
    } finally {
      good.close();
      wrong.close();
      cloudFormation.closeAllConnections();
      cloudFormation.close();
      await bare.remove();
    }
  });
});

/** The engine as functions see it: through a wire that can be cut. */
function through(engine: Engine, wire: Wire): Engine {
  return {
    ...engine,
    async open(options) {
      const opened = await engine.open(options);
      const url = new URL(opened.url);
      url.host = `127.0.0.1:${wire.port}`;
      return { ...opened, url: url.href };
    },
  };
}

async function close(socket: TestSocket): Promise<void> {
  socket.close();
  await socket.closed;
}

const known = (connectionId: string) => ({
  requestId: "request",
  domainName: "socket.example",
  protocol: "https" as const,
  stage: "pgws",
  now: Date.now(),
  sourceIp: "192.0.2.1",
  connectionId,
  connectedAt: Date.now(),
  userAgent: "test",
});

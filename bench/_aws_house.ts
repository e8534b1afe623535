/** A shop whose functions run as on AWS: each in frozen environments with one connection, behind a wire that counts round trips. */
import { awsPusher } from "../apigateway/aws.ts";
import { remoteGateway } from "../apigateway/remote.ts";
import { type Machine, startMachine } from "../cli/machine.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { readConfig } from "../shared/config.ts";
import { parseMenu, parseSettings } from "../shared/menu.ts";
import { loginAsStaff, newPairingCode } from "../shared/sessions/login.ts";
import { editMenu } from "../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../shared/shop/open_shop.ts";
import { startProxy } from "../test/_proxy.ts";
import { startAws } from "../test/cloud/_aws.ts";
import { freshDatabase } from "./_database.ts";
import { Lambda } from "./_lambda.ts";
import { type Posts, startPosts } from "./_posts.ts";

/** One invocation: which function, and how often it waited for the database. */
export interface Invocation {
  readonly name: string;
  readonly trips: number;
}

export interface AwsHouse {
  readonly machine: Machine;
  readonly url: string;
  readonly kitchenToken: string;
  readonly posts: Posts;
  /** Since the last call, oldest first; waits for those that still run. */
  invocations(): Promise<Invocation[]>;
  close(): Promise<void>;
}

const credentials = { region: "us-east-1", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "bench" };
const day = 24 * 3_600_000;

/** @param counted one invocation after the other, so that each has its own count; else as many at once as AWS would run */
export async function openAwsHouse(zips: ReadonlyMap<string, Uint8Array>, counted: boolean): Promise<AwsHouse> {
  const database = await freshDatabase("postgres");
  const address = new URL(database.url);
  // The answers are held back a little, so that a request in several pieces is one trip.
  const wire = await startProxy({ host: address.hostname, port: Number(address.port || 5432) }, counted ? 4 : 0);
  const posts = await startPosts();
  const throughWire = new URL(database.url);
  throughWire.port = String(wire.port);
  throughWire.hostname = "127.0.0.1";
  const signingKey = Buffer.alloc(32, 7).toString("base64");
  const seen: Invocation[] = [];
  const running = new Set<Promise<unknown>>();
  let turn: Promise<unknown> = Promise.resolve();

  function invoke(name: string, event: unknown): Promise<unknown> {
    const run = async () => {
      const before = wire.trips();
      const answer = await lambda.invoke(name, event);
      seen.push({ name, trips: wire.trips() - before });
      return answer;
    };
    const work = counted ? turn.then(run) : run();
    const quiet = work.catch(() => {}).finally(() => running.delete(quiet));
    turn = quiet;
    running.add(quiet);
    return work;
  }

  const aws = await startAws({ invoke: (name, event) => invoke(name.replace(/^orderbell-dev-/, ""), event) });
  const lambda = new Lambda(zips, {
    DATABASE_URL: throughWire.href,
    DATABASE_TLS: "off",
    SIGNING_KEY: signingKey,
    WECHAT_KEY: signingKey,
    CALLBACK_URL: posts.url,
    SOCKET_URL: "ws://127.0.0.1/pgws",
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: credentials.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    URL_SUFFIX: "amazonaws.com",
    FUNCTION_PREFIX: "orderbell-dev-",
    POLL_WAIT_SEC: "0",
  });

  const config = readConfig({ DATABASE_URL: database.url, SIGNING_KEY: signingKey, CALLBACK_URL: posts.url });
  const db = await openDatabase({ url: database.url, maxConnections: 4, connectTimeoutMs: 5_000 });
  await migrate(db);
  const machine = await startMachine({
    config,
    db,
    host: "127.0.0.1",
    port: 0,
    cloud: "aws",
    write: () => {},
    call: invoke,
    // Only the functions work: this process neither sweeps nor catches up.
    tickMs: day,
    lookMs: day,
    gateway: ({ db: own, clock, random, log }) =>
      remoteGateway({
        db: own,
        pusher: awsPusher({ ...credentials, timeoutMs: 5_000 }),
        clock,
        random,
        log,
        maxStreams: 20,
        graceMs: 15_000,
        address: posts.url,
      }),
  });
  const kitchenToken = await makeShop(machine);
  return {
    machine,
    url: `http://127.0.0.1:${machine.server.port}`,
    kitchenToken,
    posts,
    async invocations() {
      while (running.size > 0) await Promise.all(running);
      return seen.splice(0);
    },
    async close() {
      await machine.stop();
      while (running.size > 0) await Promise.all(running);
      lambda.close();
      await Promise.all([aws.close(), posts.close(), wire.close(), db.close()]);
      await database.remove();
    },
  };
}

async function makeShop({ app }: Machine): Promise<string> {
  const dish = { id: "beef", category: "c", names: { zh: "面" }, priceFen: 2_000 };
  const menu = parseMenu({ categories: [{ id: "c", names: { zh: "面" } }], dishes: [dish] });
  const limits = { perSession: null, perTable: null, perAddress: null, perShop: null };
  const settings = parseSettings({ services: {}, limits });
  await createShop(app, { id: "bench", names: { zh: "面" }, zone: "Asia/Shanghai", rolloverMinutes: 0, settings });
  await editMenu(app, { actor: null, shop: "bench", action: "bench", edit: () => ({ menu }) });
  await openShop(app, null, "bench", true);
  const { code } = await newPairingCode(app, { shop: "bench", role: "kitchen", device: "bench", by: null });
  return (await loginAsStaff(app, code, "127.0.0.1")).token;
}

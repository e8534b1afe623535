/**
 * Watches in the zips of a deployment, with the rights of the template: each frame and each request an event of its own, each environment
 * frozen after every answer. The client is CloudBase's own, unmodified.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "../../db/sql.ts";
import type { Variant } from "../../scripts/build.ts";
import { type Engine, servers } from "../_engines.ts";
import { until } from "../_until.ts";
import { type SignedIn, signIn } from "../cloudbase/_client.ts";
import { prepareNode, type Watchable, type Watched, watchOf } from "../cloudbase/_watched.ts";
import { type BundleHouse, openBundles, zipsOf } from "./_house.ts";

/** Both ways to a database: its address in clear, and inside of a network. */
const variants: Record<string, Variant> = {
  postgres: { engine: "postgres", network: false },
  mysql: { engine: "mysql", network: true },
};

describe.each(servers.map((engine) => [engine.name, engine] as const))(
  "watches in zips for %s",
  (name, engine: Engine) => {
    const run = engine.here ? it : it.skip;
    let folder: string;
    let house: BundleHouse;
    const people: SignedIn[] = [];
    const watched: Watched[] = [];

    beforeAll(async () => {
      if (!engine.here) return;
      prepareNode();
      folder = mkdtempSync(join(tmpdir(), "orderbell-zips-"));
      const variant = variants[name] as Variant;
      const zips = await zipsOf(variant, folder);
      house = await openBundles(engine, { variant, zips });
      people.push(await signIn(house), await signIn(house, { endPointMode: "CLOUD_API" }));
    }, 120_000);

    afterAll(async () => {
      if (!engine.here) return;
      for (const one of watched) one.close();
      await house.close();
      rmSync(folder, { recursive: true });
    });

    const watch = (query: unknown): Watched => {
      const one = watchOf(query as Watchable);
      watched.push(one);
      return one;
    };
    const of = (at: number, collection = "notes") => (people[at] as SignedIn).db.collection(collection);
    const command = () => (people[0] as SignedIn).db.command;

    run(
      "two users see a list, its changes, and the first of an order",
      async () => {
        const lists = [0, 1].map((at) => watch(of(at).where({ film: "a" })));
        for (const list of lists) await list.shows([]);
        await of(0).add([
          { film: "a", name: "x", n: 1 },
          { film: "a", name: "y", n: 2 },
          { film: "b", name: "z", n: 3 },
        ]);
        for (const list of lists) await list.shows(["x", "y"]);
        const first = watch(of(1).where({}).orderBy("n", "desc").limit(2));
        await first.shows(["z", "y"]);
        await of(0)
          .where({ name: "x" })
          .update({ n: command().inc(10) });
        await first.shows(["x", "z"]);
        await of(0).where({ name: "y" }).update({ film: "b" });
        for (const list of lists) await list.shows(["x"]);
        await of(0).where({ name: "x" }).remove();
        for (const list of lists) await list.shows([]);
        await first.shows(["z", "y"]);
        expect([...lists, first].flatMap(({ errors }) => errors)).toEqual([]);
      },
      60_000,
    );

    run(
      "many changes at once arrive all, and their numbers have no gap",
      async () => {
        const list = watch(of(1).where({ film: "many" }));
        await list.shows([]);
        const names = Array.from({ length: 20 }, (_, at) => `n${at}`);
        await Promise.all(names.map((each, at) => of(at % 2).add({ film: "many", name: each })));
        await list.holds(names);
        const ids = list.snapshots.map(({ id }) => id);
        expect(ids).toEqual(ids.map((_, at) => (ids[0] ?? 0) + at));
        expect(list.errors).toEqual([]);
      },
      60_000,
    );

    run(
      "each user sees the own documents, and a rule's other document decides while it is watched",
      async () => {
        const own = [0, 1].map((at) => watch(of(at, "members").where({})));
        for (const list of own) await list.shows([]);
        await of(0, "members").add({ _id: "m", name: "mine", open: true });
        await own[0]?.shows(["mine"]);
        const rooms = watch(of(0, "rooms").where({ member: "m" }));
        await rooms.shows([]);
        await of(0, "rooms").add({ member: "m", name: "room" });
        await rooms.shows(["room"]);
        await of(0, "members").where({ _id: "m" }).update({ open: false });
        await until(
          () => rooms.docs()?.length === 0 || rooms.errors.length > 0,
          "the end of the permission",
          () => rooms.snapshots,
        );
        expect(own[1]?.docs()).toEqual([]);
      },
      60_000,
    );

    run(
      "a function that died is found by the client's check, and a watch goes on after its socket was cut",
      async () => {
        const list = watch(of(0).where({ film: "dead" }));
        await list.shows([]);
        const later = house.clock.now() + 60_000;
        await house.db.flight({
          statements: [sql`UPDATE watch_streams SET lease = 'dead', leased_until = ${later}`],
        });
        await of(1).add({ film: "dead", name: "x" });
        await list.shows(["x"]);
        await house.db.flight({ statements: [sql`UPDATE watch_streams SET leased_until = 0`] });
        for (const { socket } of house.server.connections.all()) socket.terminate();
        await of(1).add({ film: "dead", name: "y" });
        await list.holds(["x", "y"]);
        await of(1).add({ film: "dead", name: "z" });
        await list.holds(["x", "y", "z"]);
        expect(list.errors).toEqual([]);
      },
      90_000,
    );

    run("leaves no row and nothing running", async () => {
      for (const one of watched) one.close();
      let left = 1;
      const look = async () => {
        left = Number((await house.db.read([sql`SELECT count(*) AS n FROM watches`]))[0]?.[0]?.n);
      };
      await until(
        () => {
          void look();
          return left === 0;
        },
        "no row of a watch",
        () => left,
      );
      await house.lambda.invoke("sweep", { trim: true, orders: false });
      await house.lambda.idle();
      expect(house.lambda.pending).toEqual([]);
    });
  },
);

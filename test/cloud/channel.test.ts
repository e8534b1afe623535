/** Wafer's channel service in the zips of a deployment, with the rights of the template, frozen after every answer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminAnswer } from "../../functions/admin.ts";
import type { Variant } from "../../scripts/build.ts";
import { type Engine, servers } from "../_engines.ts";
import { until } from "../_until.ts";
import {
  type Business,
  channelEnvironment,
  channelKey,
  connect,
  openBusiness,
  pushTo,
  speak,
  tunnelFor,
} from "../wafer/_channel.ts";
import { type BundleHouse, openBundles, zipsOf } from "./_house.ts";

/** Both ways out: directly, and through `ask_outside`. */
const variants: Record<string, Variant> = {
  postgres: { engine: "postgres", network: false },
  mysql: { engine: "mysql", network: true },
};

describe.each(servers.map((engine) => [engine.name, engine] as const))(
  "the channel service in zips for %s",
  (name, engine: Engine) => {
    const run = engine.here ? it : it.skip;
    let folder: string;
    let house: BundleHouse;
    let business: Business;

    beforeAll(async () => {
      if (!engine.here) return;
      folder = mkdtempSync(join(tmpdir(), "orderbell-zips-"));
      const variant = variants[name] as Variant;
      const zips = await zipsOf(variant, folder);
      house = await openBundles(engine, { variant, zips, environment: channelEnvironment });
      business = await openBusiness();
    }, 120_000);

    afterAll(async () => {
      if (!engine.here) return;
      await house.close();
      await business.close();
      rmSync(folder, { recursive: true });
    });

    run(
      "opens a tunnel, carries messages both ways, from inside callbacks too, and closes it once",
      async () => {
        const args = { host: business.host, key: channelKey, keepBodies: false };
        const added = (await house.lambda.invoke("admin", { command: "channel.add", args })) as AdminAnswer;
        expect(added).toMatchObject({ ok: { host: business.host } });

        business.onCall = async ({ tunnelId, type, content = "" }) => {
          if (type === "connect") expect(await pushTo(house, business, [tunnelId], speak("welcome"))).toEqual([]);
          if (type === "message") expect(await pushTo(house, business, [tunnelId], content)).toEqual([]);
          return undefined;
        };
        const tunnel = await tunnelFor(house, business);
        expect(await pushTo(house, business, [tunnel.tunnelId], speak("early"))).toEqual([]);
        const client = await connect(tunnel);
        await until(
          () => client.messages.length >= 2,
          "what was pushed before, and the welcome",
          () => client.frames,
        );
        expect(client.messages.toSorted()).toEqual([speak("early"), speak("welcome")]);

        for (const word of [1, 2, 3]) {
          client.send(`message:${speak(word)}`);
          await client.got(`message:${speak(word)}`);
        }
        client.send("ping");
        await client.got("pong");
        client.socket.close();
        await until(
          () => business.callsOf(tunnel.tunnelId).length >= 5,
          "the close",
          () => business.calls,
        );
        await house.lambda.idle();
        expect(business.callsOf(tunnel.tunnelId)).toEqual([
          "connect",
          ...[1, 2, 3].map((word) => `message ${speak(word)}`),
          "close",
        ]);
        expect(await pushTo(house, business, [tunnel.tunnelId], speak("late"))).toEqual([tunnel.tunnelId]);
      },
      60_000,
    );

    run(
      "lets a stranger in and sends it away, and the sweep finds who dropped out",
      async () => {
        const stranger = await connect({ connectUrl: `${house.url.replace("http", "ws")}/pgws?tunnelId=t&ticket=x` });
        await stranger.closed;

        business.onCall = () => undefined;
        const tunnel = await tunnelFor(house, business);
        const client = await connect(tunnel);
        await until(() => business.callsOf(tunnel.tunnelId).length === 1, "the connect");
        // As time does it: nothing was heard for longer than three heartbeats.
        const old = house.clock.now() - 46_000;
        const { sql } = await import("../../db/sql.ts");
        await house.db.flight({
          statements: [sql`UPDATE tunnels SET heard_at = ${old} WHERE id = ${tunnel.tunnelId}`],
        });
        await house.lambda.invoke("sweep", {});
        await until(() => business.callsOf(tunnel.tunnelId).length === 2, "the close");
        await client.closed;
        await house.lambda.idle();
        expect(business.callsOf(tunnel.tunnelId)).toEqual(["connect", "close"]);
      },
      60_000,
    );

    run("leaves nothing running when a function has answered", () => {
      expect(house.lambda.pending).toEqual([]);
    });
  },
);

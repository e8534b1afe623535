/** Webhooks in the zips of a deployment, with the rights of the template, frozen after every answer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminAnswer } from "../../functions/admin.ts";
import type { Variant } from "../../scripts/build.ts";
import { type Engine, servers } from "../_engines.ts";
import { openReceiver, type Receiver, webhookEnvironment } from "../webhooks/_receiver.ts";
import { type BundleHouse, openBundles, zipsOf } from "./_house.ts";

/** Both ways out: directly, and through `ask_outside`. */
const variants: Record<string, Variant> = {
  postgres: { engine: "postgres", network: false },
  mysql: { engine: "mysql", network: true },
};

describe.each(servers.map((engine) => [engine.name, engine] as const))(
  "webhooks in zips for %s",
  (name, engine: Engine) => {
    const run = engine.here ? it : it.skip;
    let folder: string;
    let house: BundleHouse;
    let receiver: Receiver;

    beforeAll(async () => {
      if (!engine.here) return;
      folder = mkdtempSync(join(tmpdir(), "orderbell-zips-"));
      const variant = variants[name] as Variant;
      const zips = await zipsOf(variant, folder);
      house = await openBundles(engine, { variant, zips, environment: webhookEnvironment });
      receiver = await openReceiver();
    }, 120_000);
    afterAll(async () => {
      if (!engine.here) return;
      await house.close();
      await receiver.close();
      rmSync(folder, { recursive: true });
    });

    const command = async (what: string, args: object) => {
      const answer = (await house.lambda.invoke("admin", { command: what, args })) as AdminAnswer;
      if (!("ok" in answer)) throw new Error(answer.error.message);
      // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
      return answer.ok as any;
    };

    run(
      "get an order right after it was placed, and later what the receiver has refused",
      async () => {
        const { webhook, secret } = await command("webhook.add", { url: receiver.url, shop: house.shop });
        receiver.secret = secret;
        expect(await command("webhook.test", { webhook })).toMatchObject({ delivered: true, status: "200" });

        const guest = await house.guest();
        const first = (await guest.order()).body.order;
        await receiver.got(2);
        receiver.answer = (_, at) => (at === 2 ? 500 : 200);
        const second = (await guest.order()).body.order;
        await receiver.got(3);
        await house.lambda.idle();
        expect(receiver.accepted().map(({ subject }) => subject)).toEqual([webhook, first.id, second.id]);
        expect((await command("webhook.list", {})).webhooks).toMatchObject([
          { webhook, waiting: 0, failing: 0, dead: [] },
        ]);
      },
      60_000,
    );

    run("leaves nothing running when a function has answered", () => {
      expect(house.lambda.pending).toEqual([]);
    });
  },
);

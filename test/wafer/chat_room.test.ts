/** The demo's chat room, with each client SDK and the server SDK of its generation, in every dialect of SQL. */
import { onEveryDialect } from "../_engines.ts";
import type { Business, ServerSdk } from "./_business.ts";
import type { ClientSdk, Phone, WatchedTunnel } from "./_phone.ts";
import { openScene, type Scene } from "./_scene.ts";

const generations: readonly { readonly server: ServerSdk; readonly clients: readonly ClientSdk[] }[] = [
  { server: "qcloud-weapp-server-sdk", clients: ["wafer-client-sdk", "qcloud-weapp-client-sdk"] },
  { server: "wafer-node-sdk", clients: ["wafer2-client-sdk", "wafer2-client-sdk-1"] },
];

/** The driver inside wafer-node-sdk does not know how MySQL 8 signs in. */
const isHere = (server: ServerSdk) => server !== "wafer-node-sdk" || process.env.ORDERBELL_TEST_MARIADB === "yes";

onEveryDialect((engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(engine);
  });
  afterAll(() => scene?.close());

  for (const { server, clients } of generations)
    (isHere(server) ? describe : describe.skip)(server, () => {
      let business: Business;
      let root: string;
      beforeAll(async () => {
        // The one answers a callback before its handler runs; the other's handlers push inside the callback.
        business = await scene.business(server, { answersLast: true });
        root = server === "wafer-node-sdk" ? `${business.url}/weapp` : business.url;
      });

      async function enter(client: ClientSdk, nickName: string): Promise<{ phone: Phone; chat: WatchedTunnel }> {
        const phone = scene.phone(client, { nickName });
        // The SDK of October 2016 sends a header that the registry's server SDK does not know any more.
        const isOld = client === "qcloud-weapp-client-sdk";
        phone.sdk.setLoginUrl(isOld ? `${scene.house.url}/weapp/login` : `${root}/login`);
        await phone.login();
        return { phone, chat: await phone.connect(`${root}/tunnel`) };
      }

      test.each(clients)("two users of %s meet, speak and leave", async (client) => {
        const one = await enter(client, "阿三");
        expect(await one.chat.next("people")).toMatchObject({ total: 1, enter: { nickName: "阿三" } });
        const two = await enter(client, "李四😀");
        for (const { chat } of [one, two])
          expect(await chat.next("people")).toMatchObject({ total: 2, enter: { nickName: "李四😀" } });

        two.chat.tunnel.emit("speak", { word: "你好，“世界”: 1 < 2 & \\ /" });
        for (const { chat } of [one, two])
          expect(await chat.next("speak")).toMatchObject({
            who: { nickName: "李四😀" },
            word: "你好，“世界”: 1 < 2 & \\ /",
          });

        two.chat.tunnel.close();
        expect(await one.chat.next("people")).toMatchObject({ total: 1, leave: { nickName: "李四😀" } });
        one.phone.drop();
        await business.next("close");
        await business.next("close");
        expect(business.events.filter(({ type }) => type === "close" || type === "failed")).toEqual([]);
      });

      test.each(clients)("a user of %s whose connection broke is back by a new tunnel", async (client) => {
        business.events.length = 0;
        const { phone, chat } = await enter(client, "阿三");
        const { tunnel: broken } = await business.next("connect");
        phone.drop();
        await chat.next("reconnecting");
        await business.next("close", broken);
        phone.clock.elapse(1_000);
        await chat.next("reconnect");
        const { tunnel: fresh } = await business.next("connect");
        const { data } = await business.broadcast([broken, fresh], "word", "welcome back");
        expect(data.invalidTunnelIds).toEqual([broken]);
        expect(await chat.next("word")).toBe("welcome back");
        await business.closeTunnel(fresh);
        await chat.next("close");
        await business.next("close", fresh);
      });
    });
});

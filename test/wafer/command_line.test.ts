/** The channel commands, on a server that runs: adding, listing, following a tunnel's record, removing. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../_until.ts";
import { cleanUp, type Demo, newDemoHome, startDemo, within } from "../cli/_cli.ts";
import { type Business, channelKey, connect, openBusiness, pushTo, speak, tunnelFor } from "./_channel.ts";

let home: string;
let demo: Demo;
let business: Business;

beforeAll(async () => {
  home = await newDemoHome();
  demo = await startDemo(home);
  business = await openBusiness();
});
afterAll(async () => {
  await business.close();
  await cleanUp();
});

const run = (...argv: string[]) => within(argv, { ORDERBELL_HOME: home });

/** The demo's HTTP, as the helpers want it. */
const house = {
  async http(_: string, path: string, { body }: { body?: unknown } = {}) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(demo.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  },
};

it("adds a business server, follows its tunnel's record to the end, and removes it", async () => {
  const key = join(home, "key");
  writeFileSync(key, `${channelKey}\n`);
  const added = await run("channel", "add", "--host", business.host, "--key-file", key, "--keep-bodies");
  expect(added).toMatchObject({ code: 0, err: "" });
  expect(added.out).not.toContain(channelKey);

  const tunnel = await tunnelFor(house, business);
  const client = await connect(tunnel);
  await until(() => business.callsOf(tunnel.tunnelId).length === 1, "the call came");
  const following = run("channel", "log", tunnel.tunnelId, "--follow", "--bodies");
  client.send(`message:${speak("in")}`);
  await pushTo(house, business, [tunnel.tunnelId], speak("out"));
  await client.got(`message:${speak("out")}`);
  await until(() => business.callsOf(tunnel.tunnelId).length === 2, "the message came");
  client.socket.close();
  const { code, out } = await following;
  expect(code).toBe(0);
  expect(out).toMatch(/tunnel [0-9a-f-]{36} of channel [0-9a-f]{32}\n.* {2}open\n/);
  expect(out).toMatch(/→ server 1 connect {2}0 B {2}200 {2}\d+ ms/);
  expect(out).toContain(`  ${speak("in")}`);
  expect(out).toMatch(/→ client 1 message {2}\d+ B {2}\{/);
  expect(out).toMatch(/closed: (disconnected|gone)\n/);

  const listed = JSON.parse((await run("channel", "list")).out);
  expect(listed.channels).toMatchObject([{ host: business.host, learned: false, openTunnels: 0, keepsBodies: true }]);
  expect(await run("channel", "remove", business.host)).toMatchObject({ code: 0 });
  expect(JSON.parse((await run("channel", "list")).out)).toEqual({ channels: [] });
});

it("makes a key when none is given, and says it once", async () => {
  const added = JSON.parse((await run("channel", "add", "--host", "biz.example.com")).out);
  expect(added).toMatchObject({ host: "biz.example.com", channel: "271f357a0eca8123fbf80993f30cfcef" });
  expect(added.key).toMatch(/^[\w-]{32}$/);
  expect((await run("channel", "list")).out).not.toContain(added.key);
});

it.each([
  [["channel", "add"], "--host is missing"],
  [["channel", "add", "--host", "a/b"], "expected a host"],
  [["channel", "add", "--host", "x.example", "--receive-url", "10.0.0.5"], "expected scheme, host and port"],
  [["channel", "remove", "nobody.example"], "there is no channel of this host"],
  [["channel", "log", "nothing"], "there is no such tunnel"],
])("refuses %j with the reason", async (argv, reason) => {
  const { code, err } = await run(...argv);
  expect(code).not.toBe(0);
  expect(err).toContain(reason);
});

/** A client that does not read: what is for it waits in order, and nobody else waits for it. */
import { anyEngine } from "../_engines.ts";
import { openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import { ask, channelEnvironment, openBusiness, openTunnel, pin, pushTo, speak } from "./_channel.ts";

it("a slow client gets everything in order, later", async () => {
  // Whatever is under way fills the buffer: each turn takes one frame.
  const house = await openHouse(anyEngine, { environment: channelEnvironment, limits: { maxBufferBytes: 0 } });
  const business = await openBusiness();
  await pin(house, business);
  const [slow, quick] = [await openTunnel(house, business), await openTunnel(house, business)];
  const packets = Array.from({ length: 6 }, (_, at) => ({
    tunnelIds: [slow.tunnelId],
    type: "message",
    content: speak(at),
  }));
  expect((await ask(house, packets, { host: business.host })).body.data.invalidTunnelIds).toEqual([]);
  expect(await pushTo(house, business, [quick.tunnelId, slow.tunnelId], speak("both"))).toEqual([]);
  await quick.got(`message:${speak("both")}`);
  await until(
    () => slow.messages.length === 7,
    "seven messages",
    () => slow.messages,
  );
  expect(slow.messages).toEqual([...Array.from({ length: 6 }, (_, at) => speak(at)), speak("both")]);
  for (const client of [slow, quick]) {
    client.socket.close();
    await client.closed;
  }
  await until(() => business.calls.filter(({ type }) => type === "close").length === 2, "both closes");
  await house.close();
  await business.close();
});

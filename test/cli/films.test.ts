/** `npx orderbell films add`: a film with its set, put up as the shop's owner over the HTTP API. */
import { fileURLToPath } from "node:url";
import { addFilm, type FilmToAdd, mainPlaylist } from "../../cli/add_film.ts";
import type { Ask } from "../../cli/collection_commands.ts";
import { buildCommand, commands } from "../../cli/commands.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

const folder = fileURLToPath(new URL("../../demo/films/", import.meta.url));

let house: House;
let film: FilmToAdd;
beforeAll(async () => {
  house = await openHouse(anyEngine);
  const [file, poster, hls] = ["sunrise.mp4", "sunrise.jpg", "sunrise"].map((name) => folder + name);
  film = { file: file ?? "", poster, hls, shop: house.shop, title: "日出", seconds: 24, url: house.url };
});
afterAll(async () => house?.close());

const ask: Ask = async (event) => (await house.call("admin", event)) as never;
const pairing = () => ({ command: "pair", args: { shop: house.shop, role: "owner", device: "films add" } });
const output = { out: async () => {}, remark: () => {} };
const films = async () => (await house.http("GET", `/files?shop=${house.shop}&purpose=film`)).body.files;

it("a film is there for all, with its title, poster, playlists and parts, and its session has ended", async () => {
  const answer = (await addFilm(pairing(), film, ask, output)) as { ok: { film: string; address: string } };
  expect(await films()).toEqual([
    expect.objectContaining({
      id: answer.ok.film,
      name: "sunrise.mp4",
      about: { title: "日出", seconds: 24, poster: "sunrise.jpg", hls: "master.m3u8" },
    }),
  ]);
  for (const [name, type] of [
    ["content", "video/mp4"],
    ["sunrise.jpg", "image/jpeg"],
    ["master.m3u8", "application/vnd.apple.mpegurl"],
    ["low.mp4", "video/mp4"],
    ["high5.m4s", "video/iso.segment"],
  ]) {
    const got = await fetch(`${house.url}/files/${answer.ok.film}/${name}`, {
      headers: { origin: "http://page.test" },
    });
    expect([name, got.status, got.headers.get("content-type")?.split(";")[0]]).toEqual([name, 200, type]);
    expect(got.headers.get("access-control-allow-origin")).toBe("*");
  }
  const { body } = await (await house.staff("owner")).http("GET", `/shops/${house.shop}/devices`);
  expect(body.devices.map(({ device }: { device: string }) => device)).not.toContain("films add");
});

it("a film whose poster is refused is not left behind without it", async () => {
  const before = await films();
  const wrong = { ...film, poster: `${folder}make.sh` };
  await expect(addFilm(pairing(), wrong, ask, output)).rejects.toMatchObject({ code: "FILE_TYPE_REFUSED" });
  expect(await films()).toEqual(before);
});

it("an unknown shop is told, and nothing is uploaded", async () => {
  const nowhere = { command: "pair", args: { shop: "nowhere", role: "owner" } };
  expect(await addFilm(nowhere, film, ask, output)).toMatchObject({ error: { code: "SHOP_UNKNOWN" } });
});

it("the playlist that a player begins with is found, or asked for", () => {
  expect(mainPlaylist(["low.m3u8", "master.m3u8"])).toBe("master.m3u8");
  expect(mainPlaylist(["film.m3u8", "film0.ts"])).toBe("film.m3u8");
  expect(() => mainPlaylist(["a.m3u8", "b.m3u8"])).toThrow("needs a playlist");
});

it.each([
  [{}, "--shop is missing"],
  [{ shop: "s" }, "--title is missing"],
  [{ shop: "s", title: "t", seconds: "x" }, "--seconds is no length"],
])("the command with %j says what is wrong", (options, message) => {
  const add = commands["films add"];
  expect(() => add && buildCommand(add, { words: ["film.mp4"], options })).toThrow(message);
});

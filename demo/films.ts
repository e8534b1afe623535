/** The demo's film: a file of the shop with its set: a poster, and the same film as HLS in two sizes. demo/films/make.sh made it. */
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import type { App } from "../shared/app.ts";
import { complete } from "../shared/files/complete.ts";
import type { About } from "../shared/files/file.ts";
import { makePlace } from "../shared/files/place.ts";
import { listFiles } from "../shared/files/read.ts";
import type { Session } from "../shared/sessions/session.ts";

const folder = new URL("films/", import.meta.url);

const types: Readonly<Record<string, string>> = {
  ".mp4": "video/mp4",
  ".jpg": "image/jpeg",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".m4s": "video/iso.segment",
};

/** Who puts the demo's files up: nobody's session. */
const operator = (shop: string): Session => ({
  id: "",
  user: "operator",
  kind: "staff",
  shop,
  role: "owner",
  device: null,
  createdAt: 0,
  expiresAt: 0,
});

/** Gives a shop without films the demo's. */
export async function createDemoFilm(app: App, shop: string): Promise<void> {
  const { files } = await listFiles(app, operator(shop), { shop, purpose: "film", limit: 1 });
  if (files.length > 0) return;
  const about = { title: "日出 Sunrise", seconds: 24, poster: "sunrise.jpg", hls: "master.m3u8" };
  const film = await put(app, shop, { name: "sunrise.mp4", about });
  await put(app, shop, { name: "sunrise.jpg", of: film });
  for (const name of readdirSync(new URL("sunrise/", folder)))
    await put(app, shop, { name, from: "sunrise/", of: film });
}

interface Member {
  readonly name: string;
  readonly from?: string;
  readonly of?: string;
  readonly about?: About;
}

/** @returns the file's id */
async function put(app: App, shop: string, { name, from = "", of, about }: Member): Promise<string> {
  const body = readFileSync(new URL(from + name, folder));
  const type = types[extname(name)] ?? "";
  const asked = { purpose: "film", name, type, bytes: body.length, by: "put", shop, of, about } as const;
  const { file } = await makePlace(app, operator(shop), asked, null);
  await app.store.write({ path: file.path, type: file.type, bytes: file.bytes }, body);
  return (await complete(app, file)).id;
}

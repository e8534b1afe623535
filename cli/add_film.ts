/**
 * `films add`: puts a film up for its shop, with its poster and its HLS parts, over the HTTP API as the shop's owner does: a large file
 * goes in parts, and a lost network is waited for. Its session is one of the shop's devices while it lasts.
 */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { files, upload } from "../clients/files.ts";
import { type Client, createClient } from "../clients/node.ts";
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";
import type { Ask, Output } from "./collection_commands.ts";
import { UsageError } from "./usage_error.ts";

export interface FilmToAdd {
  readonly file: string;
  readonly shop: string;
  readonly title: string;
  readonly seconds: number | undefined;
  readonly poster: string | undefined;
  /** A folder with the playlists and parts that ffmpeg has made. */
  readonly hls: string | undefined;
  /** The server's address. */
  readonly url: string;
}

/** The playlist that a player begins with. @throws UsageError when it cannot be told */
export function mainPlaylist(names: readonly string[]): string {
  const playlists = names.filter((name) => name.endsWith(".m3u8"));
  const main = ["master.m3u8", "index.m3u8"].find((name) => playlists.includes(name));
  if (main !== undefined) return main;
  if (playlists.length === 1) return playlists[0] as string;
  throw new UsageError("the folder of --hls needs a playlist: master.m3u8, index.m3u8, or only one");
}

/** @param pairing asks `admin` for a code with which the owner's session begins */
export async function addFilm(pairing: AdminEvent, film: FilmToAdd, ask: Ask, output: Output): Promise<AdminAnswer> {
  const names = film.hls === undefined ? [] : readdirSync(film.hls).toSorted();
  const hls = film.hls === undefined ? {} : { hls: mainPlaylist(names) };
  const answer = await ask(pairing);
  if ("error" in answer) return answer;
  const client = createClient({ url: film.url, guest: false });
  try {
    await client.pair((answer.ok as { pairingCode: string }).pairingCode);
    return { ok: await put(client, film, hls, names, output) };
  } finally {
    await client.signOut();
    client.close();
  }
}

async function put(client: Client, film: FilmToAdd, hls: object, names: readonly string[], { remark }: Output) {
  const { shop, title, seconds, poster } = film;
  const about = {
    title,
    ...(seconds === undefined ? {} : { seconds }),
    ...(poster === undefined ? {} : { poster: basename(poster) }),
    ...hls,
  };
  const { id } = await upload(client, film.file, { purpose: "film", shop, about });
  try {
    const members = [...(poster === undefined ? [] : [poster]), ...names.map((name) => join(film.hls ?? "", name))];
    for (const [nth, path] of members.entries()) {
      remark(`${nth + 1} of ${members.length}: ${basename(path)}`);
      await upload(client, path, { purpose: "film", shop, of: id });
    }
  } catch (error) {
    // Half a film would be listed.
    await files(client).remove(id);
    throw error;
  }
  return { film: id, address: files(client).addressOf({ id, path: `/files/${id}/content` }) };
}

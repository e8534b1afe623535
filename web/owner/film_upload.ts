/** The upload of a film. It belongs to the page, not to a section: it goes on while the owner looks at the menu. */
import { useEffect, useState } from "preact/hooks";
import { type FileView, upload } from "../../clients/files.ts";
import { client } from "./client.ts";
import { words } from "./dictionary.ts";
import { uploadFault } from "./upload.ts";
import type { Sending } from "./upload_bar.tsx";

export interface NewFilm {
  file: File;
  title: string;
  seconds: number | undefined;
  poster: Blob | undefined;
}

/** The film's set holds its poster under this name. */
export const posterName = "poster.jpg";

interface FilmUpload {
  sending?: Sending;
  /** Why the last one failed. */
  fault?: string;
}

let now: FilmUpload = {};
const listeners = new Set<(now: FilmUpload) => void>();
let work: AbortController | undefined;

function show(next: FilmUpload): void {
  now = next;
  for (const listener of listeners) listener(now);
}

export function useFilmUpload(): FilmUpload {
  const [seen, setSeen] = useState(now);
  useEffect(() => {
    listeners.add(setSeen);
    setSeen(now);
    return () => void listeners.delete(setSeen);
  }, []);
  return seen;
}

/** Calls back whenever an upload ends, however it ends and whoever began it. */
export function useFilmEnd(onEnd: () => void): void {
  useEffect(() => {
    let isSending = now.sending !== undefined;
    const listener = ({ sending }: FilmUpload) => {
      if (isSending && sending === undefined) onEnd();
      isSending = sending !== undefined;
    };
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [onEnd]);
}

export const cancelFilm = (): void => work?.abort();

export const forgetFault = (): void => {
  if (now.fault !== undefined) show({});
};

/** Film first, then its poster: a film without one is shown too. @returns whether it is stored */
export async function uploadFilm(shop: string, { file, title, seconds, poster }: NewFilm): Promise<boolean> {
  const mine = new AbortController();
  work = mine;
  const { signal } = mine;
  const name = title;
  show({ sending: { name, sent: 0, total: file.size, waiting: false } });
  try {
    const about = { title, ...(seconds !== undefined && { seconds }), ...(poster && { poster: posterName }) };
    const film = await upload(client, file, {
      purpose: "film",
      shop,
      about,
      signal,
      onProgress: (sent, total) => show({ sending: { name, sent, total, waiting: false } }),
      onRetry: () => now.sending && show({ sending: { ...now.sending, waiting: true } }),
    });
    if (poster) await uploadPoster(shop, film, poster);
    show({});
    return true;
  } catch (error) {
    const fault = uploadFault(error, words.filmWrong);
    show(fault === undefined ? {} : { fault });
    return false;
  }
}

async function uploadPoster(shop: string, { id }: FileView, poster: Blob): Promise<void> {
  const { type } = poster;
  await upload(client, poster, { purpose: "film", shop, of: id, name: posterName, type, resume: false });
}

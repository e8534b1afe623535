/** A film on this device: its length and a picture of it, as far as the browser can play it. */
import { drawn } from "./upload.ts";

export interface FilmFacts {
  seconds?: number;
  poster?: Blob;
}

/** Some browsers say nothing at all about a film that they cannot play. */
const patienceMs = 15_000;
/** Where the picture is taken: the first frame is often black. */
const posterAt = 1;

/** @returns what is known; nothing where the browser cannot play it */
export async function readFilm(file: Blob): Promise<FilmFacts> {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  Object.assign(video, { muted: true, playsInline: true, preload: "auto", src: url });
  const late = new Promise<never>((_, reject) => setTimeout(reject, patienceMs));
  const facts: FilmFacts = {};
  try {
    await Promise.race([factsOf(video, facts), late]);
  } catch {
    // What is known by then is better than nothing.
  }
  video.removeAttribute("src");
  URL.revokeObjectURL(url);
  return facts;
}

async function factsOf(video: HTMLVideoElement, facts: FilmFacts): Promise<void> {
  video.load();
  await event(video, "loadeddata");
  if (video.duration === Number.POSITIVE_INFINITY) {
    // A recording without its length in the header: the browser looks for the end when it is sought.
    video.currentTime = Number.MAX_SAFE_INTEGER;
    await event(video, "durationchange");
  }
  if (Number.isFinite(video.duration)) facts.seconds = Math.round(video.duration);
  video.currentTime = Math.min(posterAt, video.duration / 2 || 0);
  await event(video, "seeked");
  const poster = video.videoWidth > 0 ? await drawn(video, video.videoWidth, video.videoHeight) : undefined;
  if (poster !== undefined) facts.poster = poster;
}

const event = (video: HTMLVideoElement, what: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    video.addEventListener(what, resolve, { once: true });
    video.addEventListener("error", reject, { once: true });
  });

/** A soft chime, synthesized by the page. Browsers allow sound only after a touch. */
import { newAudioContext } from "../shared/audio.ts";

let context: AudioContext | undefined;

/** @returns whether sound is allowed now */
export async function unlockChime(): Promise<boolean> {
  context ??= newAudioContext();
  if (context === undefined) return false;
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 1_000))]).catch(() => {});
  return context.state === "running";
}

/** @returns whether it was played */
export function chime(): boolean {
  if (context?.state !== "running") return false;
  for (const [at, hertz] of [
    [0, 784],
    [0.28, 1_047],
  ] as const) {
    const start = context.currentTime + 0.02 + at;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.3, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 1.4);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 1.5);
  }
  return true;
}

/** Sounds, synthesized by the page: no file has to be loaded, so none can fail to load. */
import { newAudioContext } from "../shared/audio.ts";

let context: AudioContext | undefined;
const listeners = new Set<() => void>();

export const soundIsOn = (): boolean => context?.state === "running";

/** Calls back when sound is allowed or blocked; a phone call or another app may block it at any time. Returns the function that stops it. */
export function onSound(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Needs a gesture: browsers block a page's sound until it is touched. @returns whether sound is on now */
export async function unlockSound(): Promise<boolean> {
  if (context === undefined) {
    context = newAudioContext();
    if (context !== undefined)
      context.onstatechange = () => {
        for (const listener of [...listeners]) listener();
      };
  }
  await Promise.race([context?.resume(), new Promise((resolve) => setTimeout(resolve, 1_000))]).catch(() => {});
  for (const listener of [...listeners]) listener();
  return soundIsOn();
}

export async function muteSound(): Promise<void> {
  await context?.suspend().catch(() => {});
}

interface Tone {
  /** The start, in seconds from the beginning of the sound. */
  at: number;
  hertz: number;
  seconds: number;
  gain: number;
  shape?: OscillatorType;
}

function play(tones: readonly Tone[]): boolean {
  if (context === undefined || !soundIsOn()) return false;
  const start = context.currentTime + 0.02;
  for (const { at, hertz, seconds, gain, shape = "sine" } of tones) {
    const oscillator = context.createOscillator();
    const volume = context.createGain();
    oscillator.type = shape;
    oscillator.frequency.value = hertz;
    // A short rise and an exponential fall, like a bell, without a click at either end.
    volume.gain.setValueAtTime(0.0001, start + at);
    volume.gain.exponentialRampToValueAtTime(gain, start + at + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + at + seconds);
    oscillator.connect(volume).connect(context.destination);
    oscillator.start(start + at);
    oscillator.stop(start + at + seconds + 0.05);
  }
  return true;
}

/** A stroke of a bell: the tone and its overtones. */
const stroke = (at: number, hertz: number, gain: number): Tone[] => [
  { at, hertz, seconds: 1.1, gain },
  { at, hertz: hertz * 2.01, seconds: 0.7, gain: gain * 0.45 },
  { at, hertz: hertz * 3.03, seconds: 0.35, gain: gain * 0.22 },
];

/** Each returns whether it was played. */
export const ring = (): boolean => play([...stroke(0, 1_047, 0.5), ...stroke(0.22, 1_319, 0.5)]);

export const ringLouder = (): boolean =>
  play(
    [0, 0.18, 0.36, 0.54].flatMap((at, nth) => [
      ...stroke(at, nth % 2 === 0 ? 1_319 : 1_568, 0.8),
      { at, hertz: nth % 2 === 0 ? 1_319 : 1_568, seconds: 0.16, gain: 0.25, shape: "square" as const },
    ]),
  );

/** A falling, rough tone, which cannot be confused with the bell of an order. */
export const soundLost = (): boolean =>
  play([
    { at: 0, hertz: 392, seconds: 0.4, gain: 0.35, shape: "sawtooth" },
    { at: 0.35, hertz: 294, seconds: 0.4, gain: 0.35, shape: "sawtooth" },
    { at: 0.7, hertz: 196, seconds: 0.8, gain: 0.4, shape: "sawtooth" },
  ]);

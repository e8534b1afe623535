/** Sounds, made by the page itself: nothing to load, nothing that can fail to load. */

let context: AudioContext | undefined;
const hearers = new Set<() => void>();

export const soundIsOn = (): boolean => context?.state === "running";

/** Hears whether sound is on; returns how to stop. A call or another app may take it away at any time. */
export function onSound(hear: () => void): () => void {
  hearers.add(hear);
  return () => void hearers.delete(hear);
}

/** Needs a gesture: browsers keep pages silent until they are touched. @returns whether sound is on now */
export async function unlockSound(): Promise<boolean> {
  if (context === undefined && typeof AudioContext === "function") {
    context = new AudioContext();
    context.onstatechange = () => {
      for (const hear of [...hearers]) hear();
    };
  }
  await Promise.race([context?.resume(), new Promise((resolve) => setTimeout(resolve, 1_000))]).catch(() => {});
  for (const hear of [...hearers]) hear();
  return soundIsOn();
}

export async function muteSound(): Promise<void> {
  await context?.suspend().catch(() => {});
}

interface Tone {
  /** From the beginning of the sound, in seconds. */
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
    // Struck, then dying away: a bell, and no click at either end.
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

/** Each says whether it was heard. */
export const ring = (): boolean => play([...stroke(0, 1_047, 0.5), ...stroke(0.22, 1_319, 0.5)]);

export const ringLouder = (): boolean =>
  play(
    [0, 0.18, 0.36, 0.54].flatMap((at, nth) => [
      ...stroke(at, nth % 2 === 0 ? 1_319 : 1_568, 0.8),
      { at, hertz: nth % 2 === 0 ? 1_319 : 1_568, seconds: 0.16, gain: 0.25, shape: "square" as const },
    ]),
  );

/** Falls, and is rough: nobody takes it for an order. */
export const soundLost = (): boolean =>
  play([
    { at: 0, hertz: 392, seconds: 0.4, gain: 0.35, shape: "sawtooth" },
    { at: 0.35, hertz: 294, seconds: 0.4, gain: 0.35, shape: "sawtooth" },
    { at: 0.7, hertz: 196, seconds: 0.8, gain: 0.4, shape: "sawtooth" },
  ]);

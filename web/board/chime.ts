/** A soft chime, made by the page itself. Browsers want a touch before they let a page be heard. */
let context: AudioContext | undefined;

/** @returns whether it can be heard now */
export async function unlockChime(): Promise<boolean> {
  if (typeof AudioContext !== "function") return false;
  context ??= new AudioContext();
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 1_000))]).catch(() => {});
  return context.state === "running";
}

/** @returns whether it was heard */
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

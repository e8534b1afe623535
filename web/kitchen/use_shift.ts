/** A shift: sound, a screen that stays awake, full screen; browsers allow all of them only after a tap. */
import { useEffect, useState } from "preact/hooks";
import { toast } from "../shared/toast.tsx";
import { readSetting, saveSetting } from "./device_settings.ts";
import { words } from "./dictionary.ts";
import { muteSound, onSound, ring, soundIsOn, unlockSound } from "./sound.ts";

export interface Shift {
  started: boolean;
  soundOn: boolean;
  start(): Promise<void>;
  end(): void;
}

export function useShift(): Shift {
  const [started, setStarted] = useState(readSetting("shift", ["yes", "no"], "no") === "yes");
  const [soundOn, setSoundOn] = useState(soundIsOn());
  useEffect(() => onSound(() => setSoundOn(soundIsOn())), []);

  // After a reload during a shift any touch is enough.
  useEffect(() => {
    if (!started || soundOn) return;
    const unlock = () => void unlockSound();
    addEventListener("pointerup", unlock);
    addEventListener("keydown", unlock);
    return () => {
      removeEventListener("pointerup", unlock);
      removeEventListener("keydown", unlock);
    };
  }, [started, soundOn]);

  useEffect(() => (started ? stayAwake() : undefined), [started]);

  return {
    started,
    soundOn,
    async start() {
      setStarted(true);
      saveSetting("shift", "yes");
      enterFullScreen();
      if (await unlockSound()) ring();
      else toast(words.soundBlocked);
    },
    end() {
      setStarted(false);
      saveSetting("shift", "no");
      void muteSound();
      leaveFullScreen();
    },
  };
}

/** Keeps the screen awake where the browser can; the lock is lost when the page is hidden, and taken again. Returns the function that releases it. */
function stayAwake(): () => void {
  let lock: { release(): Promise<void> } | undefined;
  let over = false;
  const hold = async () => {
    if (document.hidden || over || !("wakeLock" in navigator)) return;
    lock = await navigator.wakeLock.request("screen").catch(() => undefined);
    if (over) void lock?.release();
  };
  void hold();
  document.addEventListener("visibilitychange", hold);
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", hold);
    void lock?.release().catch(() => {});
  };
}

export function enterFullScreen(): void {
  const whole = document.documentElement;
  // iPhones have none.
  if (document.fullscreenElement === null) void whole.requestFullscreen?.().catch(() => {});
}

export function leaveFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
}

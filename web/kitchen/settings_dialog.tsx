/** Settings of this device: sound, appearance, paper, keys, and signing out. */
import { useState } from "preact/hooks";
import type { Role } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { toast } from "../shared/toast.tsx";
import {
  ageLimits,
  applySize,
  applyTheme,
  papers,
  readAges,
  readPaper,
  readSize,
  readTheme,
  saveSetting,
  sizes,
  themes,
} from "./device_settings.ts";
import { words } from "./dictionary.ts";
import { ring, soundLost, unlockSound } from "./sound.ts";
import { enterFullScreen, type Shift } from "./use_shift.ts";

export interface SettingsDialogProps {
  role: Role;
  device: string;
  shift: Shift;
  onUnpair(): void;
  onClose(): void;
}

export function SettingsDialog({ role, device, shift, onUnpair, onClose }: SettingsDialogProps) {
  const [theme, setTheme] = useState(readTheme);
  const [paper, setPaper] = useState(readPaper);
  const [size, setSize] = useState(readSize);
  const [ages, setAges] = useState(readAges);
  const test = async (sound: () => boolean) => {
    if (!(await unlockSound()) || !sound()) toast(words.soundBlocked);
  };
  return (
    <Dialog title={words.settings} closeLabel={words.close} onClose={onClose}>
      <div class="settings">
        <p class="quiet">{words.signedInAs(words.role[role], device)}</p>
        <div class="pair">
          <button type="button" class="button" onClick={() => void test(ring)}>
            {words.testSound}
          </button>
          <button type="button" class="button" onClick={() => void test(soundLost)}>
            {words.testLost}
          </button>
        </div>
        <Choice
          legend={words.appearance}
          options={themes.map((one) => [one, words[one]])}
          chosen={theme}
          onChoose={(one) => {
            setTheme(one);
            saveSetting("theme", one);
            applyTheme(one);
          }}
        />
        <Choice
          legend={words.size}
          options={sizes.map((one) => [one, words.sizes[one]])}
          chosen={size}
          onChoose={(one) => {
            setSize(one);
            saveSetting("size", one);
            applySize(one);
          }}
        />
        <Choice
          legend={words.ages}
          options={ageLimits.map((one) => [one, one])}
          chosen={ages}
          onChoose={(one) => {
            setAges(one);
            saveSetting("ages", one);
          }}
        />
        <Choice
          legend={words.paper}
          options={papers.map((one) => [one, `${one} mm`])}
          chosen={paper}
          onChoose={(one) => {
            setPaper(one);
            saveSetting("paper", one);
          }}
        />
        <details>
          <summary>{words.keys}</summary>
          <dl>
            {words.keysHelp.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </details>
        <div class="pair">
          <button type="button" class="button" onClick={enterFullScreen}>
            {words.fullScreen}
          </button>
          <LanguageSwitch />
        </div>
        <div class="pair">
          {shift.started && (
            <button
              type="button"
              class="button"
              onClick={() => {
                shift.end();
                onClose();
              }}
            >
              {words.endShift}
            </button>
          )}
          <button type="button" class="button bad" onClick={onUnpair}>
            {words.unpair}
          </button>
        </div>
      </div>
    </Dialog>
  );
}

interface ChoiceProps<T extends string> {
  legend: string;
  options: readonly (readonly [T, string])[];
  chosen: T;
  onChoose(one: T): void;
}

function Choice<T extends string>({ legend, options, chosen, onChoose }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div>
        {options.map(([one, name]) => (
          <button key={one} type="button" class="button" aria-pressed={chosen === one} onClick={() => onChoose(one)}>
            {name}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

/** A dish's groups of options, edited in place. */
import { useState } from "preact/hooks";
import { newId } from "./arrange.ts";
import { localName, words } from "./dictionary.ts";
import { CountField, isNamed, MoneyField, NamesField, Switch, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import type { Choice, Option } from "./types.ts";

/** A group's fault; undefined when there is none. */
export function optionsFault({ names, min, max, choices }: Option): string | undefined {
  if (!isNamed(names) || choices.some((choice) => !isNamed(choice.names))) return words.nameMissing;
  if (choices.some(({ priceFen }) => Number.isNaN(priceFen))) return words.amountWrong;
  const usual = choices.filter((choice) => choice.default === true).length;
  const counts = min >= 0 && max >= 1 && min <= max && max <= 20 && min <= choices.length && usual <= max;
  return counts ? undefined : words.countsWrong;
}

const newChoice = (): Choice => ({ id: newId("choice"), names: {}, priceFen: 0, available: true });

export interface OptionsProps {
  options: Option[];
  /** Saving was tried: missing fields are marked. */
  tried: boolean;
  onChange(options: Option[]): void;
}

export function Options({ options, tried, onChange }: OptionsProps) {
  /** Groups added here: they stay open while they are being named. */
  const [fresh] = useState(() => new Set<string>());
  const set = (id: string, change: Partial<Option>) =>
    onChange(options.map((option) => (option.id === id ? { ...option, ...change } : option)));
  return (
    <fieldset class="options">
      <legend>{words.options}</legend>
      <p class="hint">{words.optionsHint}</p>
      {options.map((option) => {
        const fault = tried ? optionsFault(option) : undefined;
        return (
          <details key={option.id} open={fault !== undefined || fresh.has(option.id)}>
            <summary>
              <b>{localName(option.names) || words.newOption}</b>
              <small>{words.option(option.choices.length)}</small>
            </summary>
            <div class="stack">
              {fault !== undefined && <p class="fault">{fault}</p>}
              <NamesField
                label={words.optionName}
                names={option.names}
                onInput={(names) => set(option.id, { names })}
              />
              <div class="pair tight">
                <CountField
                  required
                  label={words.least}
                  value={option.min}
                  onInput={(min) => set(option.id, { min: min ?? Number.NaN })}
                />
                <CountField
                  required
                  label={words.most}
                  value={option.max}
                  onInput={(max) => set(option.id, { max: max ?? Number.NaN })}
                />
              </div>
              <ul class="choices-list">
                {option.choices.map((choice) => (
                  <ChoiceRow
                    key={choice.id}
                    choice={choice}
                    onChange={(to) => set(option.id, { choices: withChoice(option, to) })}
                    onRemove={
                      option.choices.length === 1
                        ? undefined
                        : () => set(option.id, { choices: option.choices.filter((one) => one !== choice) })
                    }
                  />
                ))}
              </ul>
              <div class="row spread">
                <button
                  type="button"
                  class="button soft"
                  onClick={() => set(option.id, { choices: [...option.choices, newChoice()] })}
                >
                  <Icon name="add" size={20} />
                  {words.newChoice}
                </button>
                <button
                  type="button"
                  class="button plain quiet"
                  onClick={() => onChange(options.filter((one) => one !== option))}
                >
                  {words.removeOption}
                </button>
              </div>
            </div>
          </details>
        );
      })}
      <button
        type="button"
        class="button wide"
        onClick={() => {
          const id = newId("option");
          fresh.add(id);
          onChange([...options, { id, names: {}, min: 0, max: 1, choices: [newChoice()] }]);
        }}
      >
        <Icon name="add" size={20} />
        {words.newOption}
      </button>
    </fieldset>
  );
}

function withoutDefault({ default: _, ...choice }: Choice): Choice {
  return choice;
}

/** Where one may be chosen, another one chosen in advance takes its place. */
const withChoice = ({ choices, max }: Option, to: Choice): Choice[] =>
  choices.map((one) => (one.id === to.id ? to : max === 1 && to.default === true ? withoutDefault(one) : one));

interface ChoiceRowProps {
  choice: Choice;
  onChange(choice: Choice): void;
  onRemove: (() => void) | undefined;
}

function ChoiceRow({ choice, onChange, onRemove }: ChoiceRowProps) {
  const { names, priceFen } = choice;
  const set = (language: "zh" | "en", text: string) => {
    const { [language]: _, ...rest } = names;
    onChange({ ...choice, names: text.trim() === "" ? rest : { ...rest, [language]: text } });
  };
  return (
    <li>
      <TextField
        label={`${words.choice} · ${words.chinese}`}
        value={names.zh ?? ""}
        max={60}
        onInput={(text) => set("zh", text)}
      />
      <TextField label={words.english} value={names.en ?? ""} max={60} onInput={(text) => set("en", text)} />
      <MoneyField
        negative
        required
        label={words.choicePrice}
        value={priceFen}
        onInput={(fen) => onChange({ ...choice, priceFen: fen ?? Number.NaN })}
      />
      <Switch
        label={words.usual}
        checked={choice.default === true}
        onChange={(on) => onChange(on ? { ...choice, default: true } : withoutDefault(choice))}
      />
      <button
        type="button"
        class="button plain round"
        aria-label={words.removeChoice(localName(names))}
        disabled={onRemove === undefined}
        onClick={onRemove}
      >
        <Icon name="bin" size={20} />
      </button>
    </li>
  );
}

/** Fields of a form. An amount is typed in yuan and stored in fen; text that is not a number is NaN. */
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import type { Names } from "../../clients/types.ts";
import { isNear, isTooLong, lengthOf } from "../shared/length.ts";
import { fenOf, typed, words } from "./dictionary.ts";

interface Common {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
}

export interface TextFieldProps extends Common {
  value: string;
  max?: number;
  rows?: number;
  type?: "text" | "url";
  /** It is wrong too, and another field says why. */
  marked?: boolean;
  onInput(value: string): void;
}

export function TextField({ label, hint, error, rows, onInput, max, type = "text", marked, ...rest }: TextFieldProps) {
  const id = useId();
  const wrong =
    error ??
    (max !== undefined && isTooLong(rest.value, max) ? words.tooLong(max, lengthOf(rest.value) - max) : undefined);
  const said = max !== undefined && isNear(rest.value, max) ? words.counted(lengthOf(rest.value), max) : hint;
  const props = {
    ...rest,
    id,
    autocomplete: "off",
    // Text is never cut: a message says that it is too long.
    ...(max !== undefined && isTooLong(rest.value, max) ? { [tooLong]: "" } : {}),
    ...describedBy(id, said, wrong),
    ...(marked === true ? { "aria-invalid": true } : {}),
    onInput: (event: { currentTarget: { value: string } }) => onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <span>
        <label for={id}>{label}</label>
      </span>
      {rows !== undefined ? (
        <textarea {...props} rows={rows} />
      ) : type === "url" ? (
        <input {...props} type="url" />
      ) : (
        <input {...props} type="text" />
      )}
      <Below id={id} hint={said} error={wrong} />
    </div>
  );
}

const tooLong = "data-too-long";

/** @returns whether a text on the page is longer than the server's limit; then its field is shown */
export function hasTooLong(): boolean {
  const box = document.querySelector<HTMLElement>(`[${tooLong}]`);
  box?.focus();
  return box !== null;
}

const describedBy = (id: string, hint: string | undefined, error: string | undefined) => ({
  "aria-invalid": error !== undefined,
  ...(error === undefined && hint === undefined ? {} : { "aria-describedby": `${id}-more` }),
});

function Below({ id, hint, error }: { id: string; hint?: string | undefined; error?: string | undefined }) {
  if (error !== undefined) return <em id={`${id}-more`}>{error}</em>;
  return hint === undefined ? null : (
    <small id={`${id}-more`} class="hint">
      {hint}
    </small>
  );
}

export interface NumberFieldProps extends Common {
  /** Undefined: empty. NaN: not a number. */
  value: number | undefined;
  unit?: string;
  whole?: boolean;
  onInput(value: number | undefined): void;
  read(text: string): number | undefined;
  show(value: number): string;
  required?: boolean;
  /** An empty field has no fault yet, since saving was not tried. */
  calm?: boolean;
  /** What an empty field says. */
  missing?: string;
  /** What a field says whose text cannot be read. */
  malformed: string;
}

function Typed({
  label,
  hint,
  error,
  value,
  unit,
  read,
  show,
  required = false,
  calm = false,
  missing = words.required,
  malformed,
  onInput,
}: NumberFieldProps) {
  const id = useId();
  const [text, setText] = useState(value === undefined || Number.isNaN(value) ? "" : show(value));
  // The typed text stays unchanged unless the value changes from outside.
  const means = (said: string) =>
    said.trim() === "" ? (required ? Number.NaN : undefined) : (read(said) ?? Number.NaN);
  const shown = Object.is(means(text), value) || Number.isNaN(value) ? text : value === undefined ? "" : show(value);
  const isWrong = Number.isNaN(value) && !(calm && text.trim() === "");
  const wrong = error ?? (isWrong ? (text.trim() === "" ? missing : malformed) : undefined);
  return (
    <div class="field">
      <span>
        <label for={id}>{label}</label>
      </span>
      <div class="with-unit">
        <input
          id={id}
          inputMode="decimal"
          autocomplete="off"
          value={shown}
          {...describedBy(id, hint, wrong)}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value);
            onInput(means(currentTarget.value));
          }}
        />
        {unit !== undefined && <span aria-hidden="true">{unit}</span>}
      </div>
      <Below id={id} hint={hint} error={wrong} />
    </div>
  );
}

type Simple = Omit<NumberFieldProps, "read" | "show" | "malformed">;

export const MoneyField = ({ negative = false, ...props }: Simple & { negative?: boolean }) => (
  <Typed
    unit={words.yuan}
    malformed={words.amountWrong}
    {...props}
    read={(text) => fenOf(text, negative)}
    show={typed}
  />
);

export const CountField = (props: Simple) => (
  <Typed
    malformed={words.countWrong}
    {...props}
    read={(text) => (/^\s*\d{1,6}\s*$/.test(text) ? Number(text) : undefined)}
    show={String}
  />
);

/** A duration, stored in seconds. */
export const MinutesField = (props: Simple) => (
  <Typed
    unit={words.minutes}
    malformed={words.minutesWrong}
    {...props}
    read={(text) => (/^\s*\d{1,4}(\.\d{1,2})?\s*$/.test(text) ? Math.round(Number(text) * 60) : undefined)}
    show={(seconds) => String(Math.round((seconds / 60) * 100) / 100)}
  />
);

/** A name in both languages. Empty ones are left out. */
export function NamesField({
  label,
  names,
  error,
  hint,
  max = 60,
  rows,
  onInput,
}: Common & { names: Names; max?: number; rows?: number; onInput(names: Names): void }) {
  const set = (language: "zh" | "en", text: string) => {
    const { [language]: _, ...rest } = names;
    onInput(text.trim() === "" ? rest : { ...rest, [language]: text });
  };
  const more = { max, ...(rows === undefined ? {} : { rows }) };
  return (
    <div class="pair">
      <TextField
        {...more}
        hint={hint}
        error={error}
        label={`${label} · ${words.chinese}`}
        value={names.zh ?? ""}
        onInput={(text) => set("zh", text)}
      />
      <TextField
        {...more}
        // The message stands below the other one.
        marked={error !== undefined}
        label={`${label} · ${words.english}`}
        value={names.en ?? ""}
        onInput={(text) => set("en", text)}
      />
    </div>
  );
}

export const isNamed = ({ zh, en }: Names): boolean => Boolean(zh?.trim() || en?.trim());

export interface SwitchProps {
  label: string;
  hint?: string;
  checked: boolean;
  onChange(checked: boolean): void;
}

export function Switch({ label, hint, checked, onChange }: SwitchProps) {
  const id = useId();
  return (
    <label class="switch">
      <span>
        {label}
        {hint !== undefined && <small id={id}>{hint}</small>}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        aria-checked={checked}
        aria-label={label}
        aria-describedby={hint === undefined ? undefined : id}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    </label>
  );
}

export interface ChoiceFieldProps<V extends string> {
  label: string;
  value: V;
  choices: readonly { value: V; label: string; hint?: string }[];
  onChange(value: V): void;
}

export function ChoiceField<V extends string>({ label, value, choices, onChange }: ChoiceFieldProps<V>) {
  const name = useId();
  return (
    <fieldset class="choices">
      <legend>{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChange(choice.value)} />
          <span>
            {choice.label}
            {choice.hint !== undefined && <small>{choice.hint}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** A section of a page, with its heading. */
export function Card({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** The field for a note to the kitchen. It never cuts the text: near the limit it shows the length, beyond it how many characters are too many. */
import { isNear, lengthOf } from "../shared/length.ts";
import { words } from "./dictionary.ts";

/** The server's limits, in code points, without blanks at the ends. */
export const maxDishNote = 100;

/** @returns how many characters are too many */
export const tooMany = (text: string, max: number): number => Math.max(0, lengthOf(text) - max);

export interface NoteFieldProps {
  id: string;
  label: string;
  hint: string;
  value: string;
  max: number;
  /** Allows several lines. */
  lines?: boolean;
  disabled?: boolean;
  onChange(text: string): void;
}

export function NoteField({ id, label, hint, value, max, lines = false, disabled = false, onChange }: NoteFieldProps) {
  const over = tooMany(value, max);
  const counted = isNear(value, max);
  const common = {
    id,
    value,
    disabled,
    placeholder: hint,
    "aria-invalid": over > 0,
    "aria-describedby": counted ? `${id}-count` : undefined,
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => onChange(currentTarget.value),
  };
  return (
    <div>
      <label class="field" htmlFor={id}>
        <span>{label}</span>
        {lines ? <textarea rows={2} {...common} /> : <input {...common} />}
      </label>
      <p id={`${id}-count`} class="counted" role="status">
        {over > 0 ? <em>{words.tooLong(max, over)}</em> : counted && words.counted(lengthOf(value), max)}
      </p>
    </div>
  );
}

/** Dialog for two edits of the same fields: shows both, to choose one. */
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { localName, words } from "./dictionary.ts";
import type { Conflict } from "./save.ts";
import type { Names } from "./types.ts";

export interface ConflictDialogProps<T> {
  conflict: Conflict<T>;
  /** @param base the value as it is now, for the next try to save */
  onChosen(value: T, base: { value: T; version: number }): void;
  onClose(): void;
}

export function ConflictDialog<T extends object>({ conflict, onChosen, onClose }: ConflictDialogProps<T>) {
  const { value: mine, theirs, version, disputed: fields } = conflict;
  const choose = (value: T) => {
    onClose();
    onChosen(value, { value: theirs, version });
  };
  const agreed = () => ({ ...mine, ...Object.fromEntries(fields.map((field) => [field, theirs[field]])) });
  const named = fields.map((field) => words.fields[field] ?? field);
  const of = (value: T, field: string) => shown(field, (value as Record<string, unknown>)[field]);
  return (
    <Dialog
      middle
      title={words.conflict}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={() => choose(agreed())}>
            {words.takeTheirs}
          </button>
          <button type="button" class="button primary" onClick={() => choose(mine)}>
            {words.keepMine}
          </button>
        </>
      }
    >
      <p>{words.conflictHint(named.join(words.locale === "zh-CN" ? "、" : ", "))}</p>
      <table class="compare">
        <thead>
          <tr>
            <td />
            <th scope="col">{words.mine}</th>
            <th scope="col">{words.theirs}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field, at) => (
            <tr key={field}>
              <th scope="row">{named[at]}</th>
              <td>{of(mine, field)}</td>
              <td>{of(theirs, field)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}

/** A short text of a value, enough to choose by. */
function shown(field: string, value: unknown): string {
  if (value === undefined || value === null) return words.nothing;
  if (field.endsWith("Fen")) return yuan(value as number);
  if (typeof value === "boolean") return value ? "✓" : "✕";
  if (Array.isArray(value))
    return value.map((one: { names: Names }) => localName(one.names)).join(", ") || words.nothing;
  if (typeof value === "object" && ("zh" in value || "en" in value)) return Object.values(value).join(" / ");
  if (typeof value === "object") return JSON.stringify(value).replace(/["{}]/g, " ");
  return String(value);
}

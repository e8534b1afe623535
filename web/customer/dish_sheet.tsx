/** Sheet of one dish: its choices, limited to what the rules allow, the quantity, and a note to the kitchen. */
import { useRef, useState } from "preact/hooks";
import type { Dish, DishOption } from "../../clients/browser.ts";
import { maxQuantity } from "../../shared/order_states.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { Stepper } from "../shared/stepper.tsx";
import { type CartLine, unitFen } from "./cart.ts";
import { localName, words } from "./dictionary.ts";
import { maxDishNote, NoteField, tooMany } from "./note_field.tsx";
import { Picture } from "./picture.tsx";

export interface DishSheetProps {
  dish: Dish;
  soldOut: boolean;
  /** A line of the cart that is being changed. */
  line: CartLine | undefined;
  onClose(): void;
  onAdd(line: CartLine): void;
}

type Chosen = Record<string, string[]>;

/** The line's choices; else those that are usual, and required ones with a single possibility. */
const atFirst = (dish: Dish, line: CartLine | undefined): Chosen =>
  Object.fromEntries(
    dish.options.map(({ id, min, choices }) => {
      const there = choices.filter(({ available }) => available);
      const taken = line?.options.find(({ option }) => option === id)?.choices ?? [];
      const only = min > 0 && there.length === min;
      const chosen = there.filter((choice) =>
        line === undefined ? only || choice.default === true : taken.includes(choice.id),
      );
      return [id, chosen.map((choice) => choice.id)];
    }),
  );

const ruleOf = ({ min, max, choices }: DishOption): string => {
  if (min === max) return words.exactly(min);
  if (min === 0) return max >= choices.length ? words.optional : words.atMost(max);
  return max >= choices.length ? words.atLeast(min) : words.between(min, max);
};

export function DishSheet({ dish, soldOut, line, onClose, onAdd }: DishSheetProps) {
  const [chosen, setChosen] = useState(() => atFirst(dish, line));
  const [quantity, setQuantity] = useState(line?.quantity ?? 1);
  const [note, setNote] = useState(line?.note ?? "");
  const form = useRef<HTMLDivElement>(null);
  const options = dish.options
    .map(({ id }) => ({ option: id, choices: chosen[id] ?? [] }))
    .filter(({ choices }) => choices.length > 0);
  const missing = dish.options.find(({ id, min }) => (chosen[id]?.length ?? 0) < min);
  const one = unitFen(dish, options);
  const soFar = dish.options
    .flatMap(({ id, choices }) => choices.filter((choice) => chosen[id]?.includes(choice.id)))
    .reduce((fen, { priceFen }) => fen + priceFen, dish.priceFen);

  function toggle({ id, max }: DishOption, choice: string): void {
    const now = chosen[id] ?? [];
    const next = now.includes(choice) ? now.filter((other) => other !== choice) : [...now, choice];
    // Where only one may be chosen, a new choice replaces it.
    setChosen({ ...chosen, [id]: max === 1 ? next.slice(-1) : next });
  }

  function finish(): void {
    if (missing !== undefined) {
      const group = form.current?.querySelector<HTMLElement>(`[data-option="${missing.id}"]`);
      group?.scrollIntoView({ block: "nearest" });
      group?.querySelector<HTMLElement>("input:not(:disabled)")?.focus();
      return;
    }
    if (tooMany(note, maxDishNote) > 0) document.getElementById("dish-note")?.focus();
    else if (one !== undefined) onAdd({ dish: dish.id, quantity, options, note: note.trim(), seenFen: one });
  }

  return (
    <Dialog
      title={localName(dish.names)}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <Stepper
            quantity={quantity}
            of={localName(dish.names)}
            words={words}
            min={1}
            max={maxQuantity}
            onChange={setQuantity}
          />
          <button type="button" class="button primary" disabled={soldOut} onClick={finish}>
            {soldOut
              ? words.soldOut
              : missing === undefined
                ? (line === undefined ? words.addToCart : words.changeInCart)(yuan(soFar * quantity))
                : `${yuan(soFar * quantity)} · ${words.chooseFirst(localName(missing.names))}`}
          </button>
        </>
      }
    >
      <div ref={form} class="choosing">
        {dish.picture !== undefined && <Picture of={dish.picture} name={localName(dish.names)} size={480} />}
        {dish.description !== undefined && <p class="quiet">{localName(dish.description)}</p>}
        {dish.options.map((option) => (
          <fieldset key={option.id} data-option={option.id}>
            <legend>
              {localName(option.names)} <span class="quiet">{ruleOf(option)}</span>
            </legend>
            <div class="chips">
              {option.choices.map(({ id, names, priceFen, available }) => {
                const taken = chosen[option.id] ?? [];
                const full = option.max > 1 && taken.length >= option.max && !taken.includes(id);
                const single = option.min === 1 && option.max === 1;
                return (
                  <label key={id} class="chip">
                    <input
                      type={single ? "radio" : "checkbox"}
                      name={`${dish.id}.${option.id}`}
                      checked={taken.includes(id)}
                      disabled={!available || full}
                      onChange={() => toggle(option, id)}
                    />
                    <span>
                      {localName(names)}
                      {priceFen !== 0 && (
                        <small>
                          {priceFen > 0 ? "+" : ""}
                          {yuan(priceFen)}
                        </small>
                      )}
                      {!available && <small>{words.soldOut}</small>}
                    </span>
                  </label>
                );
              })}
            </div>
          </fieldset>
        ))}
        <NoteField
          id="dish-note"
          label={words.dishNote}
          hint={words.dishNoteHint}
          value={note}
          max={maxDishNote}
          onChange={setNote}
        />
      </div>
    </Dialog>
  );
}

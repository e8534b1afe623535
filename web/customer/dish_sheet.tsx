/** One dish: its choices, each rule kept as one chooses, how many, and a word to the kitchen. */
import { useRef, useState } from "preact/hooks";
import type { Dish, DishOption } from "../../clients/browser.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { Stepper } from "../shared/stepper.tsx";
import { type CartLine, maxQuantity, unitFen } from "./cart.ts";
import { Picture } from "./picture.tsx";
import { say, words } from "./speak.ts";

export interface DishSheetProps {
  dish: Dish;
  soldOut: boolean;
  onClose(): void;
  onAdd(line: CartLine): void;
}

type Chosen = Record<string, string[]>;

/** What must be taken and can only be one thing is taken already. */
const atFirst = (dish: Dish): Chosen =>
  Object.fromEntries(
    dish.options.map(({ id, min, choices }) => {
      const there = choices.filter(({ available }) => available);
      return [id, min > 0 && there.length === min ? there.map((choice) => choice.id) : []];
    }),
  );

const ruleOf = ({ min, max, choices }: DishOption): string => {
  if (min === max) return words.exactly(min);
  if (min === 0) return max >= choices.length ? words.optional : words.atMost(max);
  return max >= choices.length ? words.atLeast(min) : words.between(min, max);
};

export function DishSheet({ dish, soldOut, onClose, onAdd }: DishSheetProps) {
  const [chosen, setChosen] = useState(() => atFirst(dish));
  const [quantity, setQuantity] = useState(1);
  const [note, setNote] = useState("");
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
    // Where one may be taken, another takes its place.
    setChosen({ ...chosen, [id]: max === 1 ? next.slice(-1) : next });
  }

  function finish(): void {
    if (missing !== undefined) {
      const group = form.current?.querySelector<HTMLElement>(`[data-option="${missing.id}"]`);
      group?.scrollIntoView({ block: "nearest" });
      group?.querySelector<HTMLElement>("input:not(:disabled)")?.focus();
      return;
    }
    if (one !== undefined) onAdd({ dish: dish.id, quantity, options, note: note.trim(), seenFen: one });
  }

  return (
    <Dialog
      title={say(dish.names)}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <Stepper
            quantity={quantity}
            of={say(dish.names)}
            words={words}
            min={1}
            max={maxQuantity}
            onChange={setQuantity}
          />
          <button type="button" class="button primary" disabled={soldOut} onClick={finish}>
            {soldOut
              ? words.soldOut
              : missing === undefined
                ? words.addToCart(yuan(soFar * quantity))
                : words.chooseFirst(say(missing.names))}
          </button>
        </>
      }
    >
      <div ref={form} class="choosing">
        {dish.picture !== undefined && <Picture of={dish.picture} name={say(dish.names)} size={480} />}
        {dish.description !== undefined && <p class="quiet">{say(dish.description)}</p>}
        {dish.options.map((option) => (
          <fieldset key={option.id} data-option={option.id}>
            <legend>
              {say(option.names)} <span class="quiet">{ruleOf(option)}</span>
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
                      {say(names)}
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
        <label class="field">
          <span>{words.dishNote}</span>
          <input
            value={note}
            maxLength={100}
            placeholder={words.dishNoteHint}
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
          />
        </label>
      </div>
    </Dialog>
  );
}

/** Sheet of a dish's options, limited to what the rules allow. Emits `add` with a line for the cart, and `close`. */
import type { Dish, DishOption } from "../../lib/orderbell";
import { maxLineNote } from "../../lib/orderbell";
import type { CartLine } from "../../shop/cart";
import type { Chosen } from "../../shop/choose";
import { choicesOf, fits, lacking, obvious, toggle, unitFen } from "../../shop/choose";
import { countOf, extra, fill, nameIn, tooMany, yuan } from "../../shop/format";
import type { Language, Words } from "../../shop/words";

function ruleOf({ min, max }: DishOption, t: Words): string {
  if (min === 0) return fill(t.pickUpTo, { max });
  if (min !== max) return fill(t.pickBetween, { min, max });
  return min === 1 ? t.pickOne : fill(t.pickExactly, { min });
}

const groupsOf = (dish: Dish, chosen: Chosen, t: Words, language: Language) =>
  dish.options.map((option) => ({
    id: option.id,
    name: nameIn(option.names, language),
    rule: ruleOf(option, t),
    single: option.max === 1,
    lacking: choicesOf(chosen, option).length < option.min,
    choices: option.choices.map(({ id, names, priceFen, available }) => ({
      id,
      available,
      name: nameIn(names, language),
      price: available ? extra(priceFen) : t.notToday,
      taken: choicesOf(chosen, option).includes(id),
    })),
  }));

Component({
  properties: {
    /** Null: the sheet is closed. */
    dish: { type: Object, value: null as unknown as Dish },
    soldOut: { type: Boolean, value: false },
    language: { type: String, value: "zh" },
    t: { type: Object, value: {} as Words },
  },
  data: {
    name: "",
    chosen: {} as Chosen,
    quantity: 1,
    note: "",
    /** The note's length, shown near its limit. */
    counted: "",
    groups: [] as ReturnType<typeof groupsOf>,
    total: "",
    message: "",
    /** The dish of these choices. */
    of: "",
  },
  observers: {
    dish() {
      const dish = this.data.dish as Dish | null;
      if (dish === null) {
        this.setData({ of: "" });
        return;
      }
      // The menu may change while the sheet is open: valid choices stay.
      const same = dish.id === this.data.of;
      const chosen = same && fits(dish, this.data.chosen) ? this.data.chosen : obvious(dish);
      this.setData({ of: dish.id, chosen, ...(same ? {} : { quantity: 1, note: "", counted: "" }), message: "" });
      this.draw();
    },
  },
  methods: {
    draw() {
      const { dish, chosen, quantity, t } = this.data;
      const language = this.data.language as Language;
      this.setData({
        name: nameIn(dish.names, language),
        groups: groupsOf(dish, chosen, t, language),
        total: yuan(unitFen(dish, chosen) * quantity),
      });
    },
    toggle(tap: { currentTarget: { dataset: Record<string, string> } }) {
      const { option: id, choice = "" } = tap.currentTarget.dataset;
      const { dish, chosen, t } = this.data;
      const option = dish.options.find((one) => one.id === id);
      if (option === undefined) return;
      const next = toggle(option, chosen, choice);
      const there = option.choices.some((one) => one.id === choice && one.available);
      const full = next === chosen && there && option.max > 1;
      this.setData({ chosen: next, message: full ? fill(t.atMost, { max: option.max }) : "" });
      this.draw();
    },
    write({ detail }: { detail: { value: string } }) {
      this.setData({ note: detail.value, counted: countOf(detail.value, maxLineNote, this.data.t) });
    },
    count({ detail }: { detail: { value: number } }) {
      this.setData({ quantity: detail.value });
      this.draw();
    },
    add() {
      const { dish, chosen, quantity, note, t, soldOut } = this.data;
      if (soldOut) return;
      const open = lacking(dish, chosen);
      if (open.length > 0) {
        const names = open.map((option) => nameIn(option.names, this.data.language as Language)).join(t.comma);
        this.setData({ message: fill(t.lacking, { names }) });
        return;
      }
      if (tooMany(note, maxLineNote) > 0) {
        this.setData({ message: countOf(note, maxLineNote, t) });
        return;
      }
      const line: CartLine = { dish: dish.id, chosen, quantity, note: note.trim(), seenFen: unitFen(dish, chosen) };
      this.triggerEvent("add", line);
    },
    close() {
      this.triggerEvent("close");
    },
  },
});

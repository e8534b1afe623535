/** A dish on the menu. Tells `choose` where options are to be chosen, else `change` with the wanted number. */
import type { Words } from "../../shop/words";

export interface DishView {
  id: string;
  name: string;
  description: string;
  /** An address; empty without one. */
  picture: string;
  letter: string;
  price: string;
  soldOut: boolean;
  /** There is something to choose. */
  options: boolean;
  /** So many are in the cart. */
  quantity: number;
}

Component({
  properties: {
    dish: { type: Object, value: {} as DishView },
    t: { type: Object, value: {} as Words },
  },
  methods: {
    choose() {
      this.triggerEvent("choose", { dish: this.data.dish.id });
    },
    change({ detail }: { detail: { value: number } }) {
      this.triggerEvent("change", { dish: this.data.dish.id, value: detail.value });
    },
  },
});

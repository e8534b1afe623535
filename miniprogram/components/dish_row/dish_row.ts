/** A dish on the menu. Emits `choose` if it has options, else `change` with the wanted number. */
import type { Words } from "../../shop/words";

export interface DishView {
  id: string;
  name: string;
  description: string;
  /** The picture's address; empty without one. */
  picture: string;
  letter: string;
  price: string;
  soldOut: boolean;
  /** The dish has options. */
  options: boolean;
  /** The number in the cart. */
  quantity: number;
}

Component({
  properties: {
    dish: { type: Object, value: {} as DishView },
    t: { type: Object, value: {} as Words },
  },
  data: {
    /** The address of a picture that failed to load: the letter is shown instead. */
    lost: "",
  },
  methods: {
    lose() {
      this.setData({ lost: this.data.dish.picture });
    },
    choose() {
      this.triggerEvent("choose", { dish: this.data.dish.id });
    },
    change({ detail }: { detail: { value: number } }) {
      this.triggerEvent("change", { dish: this.data.dish.id, value: detail.value });
    },
  },
});

/** Stepper. Emits `change` with the wanted number; the parent sets the number. */
import type { Words } from "../../shop/words";

Component({
  properties: {
    value: { type: Number, value: 0 },
    min: { type: Number, value: 0 },
    max: { type: Number, value: 99 },
    /** The thing counted, for screen readers. */
    name: { type: String, value: "" },
    t: { type: Object, value: {} as Words },
  },
  methods: {
    less() {
      const { value, min } = this.data;
      if (value > min) this.triggerEvent("change", { value: value - 1 });
    },
    more() {
      const { value, max } = this.data;
      if (value < max) this.triggerEvent("change", { value: value + 1 });
    },
  },
});

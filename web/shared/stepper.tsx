/** Stepper: a number with buttons for one less and one more. At 0 only "one more" is there; it is the same button, so it keeps the focus. */
export interface StepperProps {
  quantity: number;
  /** The thing counted, such as "红烧牛肉面", for screen readers. */
  of: string;
  words: { less: string; more: string };
  min?: number;
  max?: number;
  onChange(quantity: number): void;
}

export function Stepper({ quantity, of, words, min = 0, max = 99, onChange }: StepperProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset in each row would be read out each time
    <div class="stepper" role="group" aria-label={of}>
      {quantity > 0 && (
        <>
          <button
            type="button"
            aria-label={`${words.less} ${of}`}
            disabled={quantity <= min}
            onClick={({ currentTarget }) => {
              // This button is about to go.
              if (quantity === 1) currentTarget.parentElement?.querySelector<HTMLElement>(".more")?.focus();
              onChange(quantity - 1);
            }}
          >
            <span aria-hidden="true">−</span>
          </button>
          <output aria-live="polite" translate={false}>
            {quantity}
          </output>
        </>
      )}
      <button
        type="button"
        class="more"
        aria-label={`${words.more} ${of}`}
        disabled={quantity >= max}
        onClick={() => onChange(quantity + 1)}
      >
        <span aria-hidden="true">+</span>
      </button>
    </div>
  );
}

/** 2550 → ¥25.50; whole yuan without decimals. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? "−" : "";
  const cents = Math.abs(fen) % 100;
  const whole = (Math.abs(fen) - cents) / 100;
  return `${sign}¥${whole}${cents === 0 ? "" : `.${String(cents).padStart(2, "0")}`}`;
}

/** An order's fees besides its lines: together with the lines they are exactly the total. */
export function extrasOf({ packingFen, deliveryFen }: { packingFen: number; deliveryFen: number }) {
  const all = [
    { what: "packing", fen: packingFen },
    { what: "delivery", fen: deliveryFen },
  ] as const;
  return all.filter(({ fen }) => fen !== 0);
}

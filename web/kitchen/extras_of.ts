/** An order's fees besides its lines: together with the lines they are exactly the total. */
export function extrasOf({ packingFen, deliveryFen }: { packingFen: number; deliveryFen: number }) {
  const all = [
    { what: "packing", fen: packingFen },
    { what: "delivery", fen: deliveryFen },
  ] as const;
  return all.filter(({ fen }) => fen !== 0);
}

/** One row of a list of sums: its name and its value. */
export function SumRow({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  return (
    <div class={strong ? "row strong" : "row"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

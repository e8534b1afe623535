/** An icon drawn with lines in the text's colour, in a field of 24 × 24. It is hidden from screen readers: its button has a label. */
export function LineIcon({ path, size, width }: { path: string; size: number; width: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={width}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}

/** An icon drawn with lines in the text's colour, in a field of 24 × 24. It grows with the text. It is hidden from screen readers: its button has a label. */
/** @param size px, at the usual size of text */
export function LineIcon({ path, size, width }: { path: string; size: number; width: number }) {
  return (
    <svg
      width={`${size / 16}rem`}
      height={`${size / 16}rem`}
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

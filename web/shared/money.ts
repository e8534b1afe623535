/** 2550 → ¥25.50; whole yuan without decimals. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? "−" : "";
  const cents = Math.abs(fen) % 100;
  const whole = (Math.abs(fen) - cents) / 100;
  return `${sign}¥${whole}${cents === 0 ? "" : `.${String(cents).padStart(2, "0")}`}`;
}

/** Days and times as text; the business day of a shop is the date in its zone, which changes some minutes after midnight. */

const lastTexts: { at: number; text: string }[] = [];

/** As ISO 8601, in UTC. An order writes the same few times again and again, and each costs 0.7 µs anew. */
export function iso(at: number): string {
  const place = at & 63;
  const last = lastTexts[place];
  if (last?.at === at) return last.text;
  const text = new Date(at).toISOString();
  lastTexts[place] = { at, text };
  return text;
}

const formats = new Map<string, Intl.DateTimeFormat>();
/** By zone: the day of the last minute that was asked for. */
const lastDays = new Map<string, { minute: number; day: string }>();

/** @returns `2026-11-21` @throws RangeError for a zone that does not exist */
export function businessDay(now: number, zone: string, rolloverMinutes: number): string {
  // Every zone changes its date at a full minute.
  const minute = Math.floor(now / 60_000) - rolloverMinutes;
  const last = lastDays.get(zone);
  if (last?.minute === minute) return last.day;
  let format = formats.get(zone);
  if (format === undefined) {
    // en-CA writes year-month-day.
    format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
    formats.set(zone, format);
  }
  const day = format.format(minute * 60_000);
  lastDays.set(zone, { minute, day });
  return day;
}

/**
 * The pickup number: A001 … A999, B001 … Z999, then AA001 … ZZ999.
 * db/orders.ts has the same rule in SQL, where the flight assigns the number; a test compares the two.
 * @param dayNumber 1 for the first order of the day
 */
export function pickupNumber(dayNumber: number): string {
  const block = Math.floor((dayNumber - 1) / 999);
  const letter = (n: number) => String.fromCharCode(65 + (n % 26));
  const letters = block < 26 ? letter(block) : letter(Math.floor(block / 26) - 1) + letter(block);
  return letters + String(((dayNumber - 1) % 999) + 1).padStart(3, "0");
}

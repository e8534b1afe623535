/** What the address says, and the first request, sent before anything else is made or loaded. */
const query = new URLSearchParams(location.search);

/** Undefined: the shops are to be chosen from. */
export const shopId = query.get("shop") || undefined;
/** The code on the table. */
export const tableToken = (shopId && query.get("table")) || undefined;

/** A refusal by its code; without an answer the code is empty. */
export interface Refusal {
  code: string;
}

/** `GET /get_shop_info`, without the SDK, which comes after the first dish. @throws Refusal */
export async function askShop<T>(fields: Record<string, string | undefined>): Promise<T> {
  const known = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  let code = "";
  try {
    const answer = await fetch(`/get_shop_info?${new URLSearchParams(known)}`);
    const body = await answer.json();
    if (answer.ok) return body;
    code = answer.status < 500 ? String(body.code) : "";
  } catch {
    // No answer, or not ours.
  }
  throw { code } satisfies Refusal;
}

export const firstAnswer: Promise<unknown> = askShop({ shop: shopId, table: tableToken });
// Whoever shows it hears of a failure.
firstAnswer.catch(() => {});

/** Parameters of the page's address, and the first request, sent before anything else is loaded. */
const query = new URLSearchParams(location.search);

/** Undefined: the list of shops is shown. */
export const shopId = query.get("shop") || undefined;
/** The table's code. */
export const tableToken = (shopId && query.get("table")) || undefined;

/** An error with the API's code; without an answer the code is empty. */
export interface RequestError {
  code: string;
}

/** `GET /get_shop_info`, without the SDK, which is loaded after the menu is shown. @throws RequestError */
export async function askShop<T>(fields: Record<string, string | undefined>): Promise<T> {
  const known = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
  let code = "";
  try {
    const answer = await fetch(`/get_shop_info?${new URLSearchParams(known)}`);
    const body = await answer.json();
    if (answer.ok) return body;
    code = answer.status < 500 ? String(body.code) : "";
  } catch {
    // No answer, or not one of the API.
  }
  throw { code } satisfies RequestError;
}

export const firstAnswer: Promise<unknown> = askShop({ shop: shopId, table: tableToken });
// The code that awaits it handles a failure; this prevents an "unhandled rejection" before that.
firstAnswer.catch(() => {});

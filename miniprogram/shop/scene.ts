/** The code on a table: its token is the scene of a mini-program code, in a page's query. Source: getUnlimitedQRCode. */

/** The table's token; undefined without a scanned table code. */
export function tableOf(query: Readonly<Record<string, string | undefined>>): string | undefined {
  // WeChat passes the scene encoded. DevTools and links may have the table's token as it is.
  const token = query.scene === undefined ? query.table : decoded(query.scene);
  return token !== undefined && /^[A-Za-z0-9_-]{1,32}$/.test(token) ? token : undefined;
}

function decoded(scene: string): string | undefined {
  try {
    return decodeURIComponent(scene);
  } catch {
    return undefined;
  }
}

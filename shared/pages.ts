/** What goes with a page, whoever serves it. */

/** Scripts, styles and sockets of our own only; `ws:` and `wss:` because to older browsers a socket is no `'self'`. */
export const contentPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const pageHeaders = {
  "content-security-policy": contentPolicy,
  "x-content-type-options": "nosniff",
  // An address may hold a table's code.
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
} as const;

const place = /(<meta\s+name="orderbell:socket"\s+content=")[^"]*(")/;
const entities: Readonly<Record<string, string>> = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** The page, told where its socket is; for a gateway that has it under another address. @throws TypeError for a page without a place for it */
export function withSocket(html: string, url: string): string {
  if (!place.test(html)) throw new TypeError('the page has no <meta name="orderbell:socket">');
  const text = url.replace(/[&"<>]/g, (sign) => entities[sign] as string);
  return html.replace(place, (_, before, after) => before + text + after);
}

/** What goes with a page, whoever serves it. */

/** Scripts and styles of our own only. `connect` and `images` are what else a page may reach. */
const contentPolicy = (connect: string, images: string) =>
  [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob:${images}`,
    `connect-src 'self'${connect}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

export type PageHeaders = Readonly<Record<string, string>>;

const headersWith = (policy: string) =>
  ({
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    // An address may hold a table's code.
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
  }) as const;

/** Of a page whose socket and pictures are where it is; `ws:` and `wss:` because to older browsers a socket is no `'self'`. */
export const pageHeaders = headersWith(contentPolicy(" ws: wss:", ""));

/** Of a page whose socket and pictures are elsewhere: it may go to these two hosts and to no other. */
export function pageHeadersAt(socketUrl: string, picturesUrl: string): PageHeaders {
  const [socket, pictures] = [new URL(socketUrl), new URL(picturesUrl)];
  const hosts = ` ${socket.protocol}//${socket.host} ${pictures.origin}`;
  return headersWith(contentPolicy(hosts, ` ${pictures.origin}`));
}

const place = /(<meta\s+name="orderbell:socket"\s+content=")[^"]*(")/;
const entities: Readonly<Record<string, string>> = { "&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;" };

/** The page, told where its socket is; for a gateway that has it under another address. @throws TypeError for a page without a place for it */
export function withSocket(html: string, url: string): string {
  if (!place.test(html)) throw new TypeError('the page has no <meta name="orderbell:socket">');
  const text = url.replace(/[&"<>]/g, (sign) => entities[sign] as string);
  return html.replace(place, (_, before, after) => before + text + after);
}

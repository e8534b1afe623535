/** HTTP headers of the pages, the same from every server. */

/**
 * Hash of the inline script of each page: when a module failed to load, it reloads the page once the host answers, because a
 * browser never requests a failed module again. It is inline, since a module could fail too.
 */
const retryScript = "'sha256-66RcsHrtfV+7rXnEVmZRLmLIWhCxRVIW6fmY8AUNMh8='";

/** Only the pages' own scripts and styles. `connect` and `images` are further allowed hosts, `more` further rules. */
const contentPolicy = (connect: string, images: string, more: readonly string[] = []) =>
  [
    "default-src 'self'",
    `script-src 'self' ${retryScript}`,
    "style-src 'self'",
    `img-src 'self' data: blob:${images}`,
    // blob: a film that was chosen on this device is shown before it is uploaded.
    `media-src 'self' blob:${images}`,
    `connect-src 'self'${connect}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    ...more,
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

/**
 * Headers of a page whose pictures are on its own host or at `filesUrl`, and whose socket is there or at `socketUrl`.
 * @param host as the browser sent it: in older browsers `'self'` does not allow a socket; an invalid host is left out
 */
export const pageHeaders = (host?: string, socketUrl?: string, filesUrl?: string): PageHeaders =>
  headersWith(contentPolicy(socketsOf(host, socketUrl) + originOf(filesUrl), originOf(filesUrl)));

/** Headers of an example's page: as `pageHeaders`, and a player of films may make parts of them in memory. */
export const exampleHeaders = (host?: string, socketUrl?: string, filesUrl?: string): PageHeaders =>
  headersWith(
    contentPolicy(socketsOf(host, socketUrl) + originOf(filesUrl), originOf(filesUrl), ["worker-src 'self' blob:"]),
  );

const originOf = (url: string | undefined) => (url === undefined ? "" : ` ${new URL(url).origin}`);

function socketsOf(host: string | undefined, socketUrl: string | undefined): string {
  const own =
    host !== undefined && /^[\w.-]+(:\d+)?$|^\[[\da-f:.]+\](:\d+)?$/i.test(host) ? ` ws://${host} wss://${host}` : "";
  return own + originOf(socketUrl);
}

/** Headers of a page whose socket and files are on other hosts: it may connect to these two only. */
export function pageHeadersAt(socketUrl: string, filesUrl: string): PageHeaders {
  const socket = new URL(socketUrl);
  const files = originOf(filesUrl);
  return headersWith(contentPolicy(` ${socket.protocol}//${socket.host}${files}`, files));
}

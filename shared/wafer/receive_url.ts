/** The address for callbacks, as the SDKs write it: each wraps a host with a port, or with a scheme, in its own way. */
/**
 * The address without the brackets that older Node puts around any host with a colon: `http://[127.0.0.1:5757]/tunnel`,
 * `https://[https://www.x.com]/tunnel`. A real IPv6 address keeps its own. Undefined for what is no address.
 */
export function unwrapUrl(written: string): string | undefined {
  const [, scheme, inner, rest] = /^(https?:\/\/)\[((?:https?:\/\/)?[\w.-]+(?::\d{1,5})?)\](.*)$/is.exec(written) ?? [];
  const plain =
    scheme === undefined || inner === undefined || rest === undefined
      ? written
      : `${/^https?:\/\//i.test(inner) ? "" : scheme}${inner}${rest}`;
  if (plain.length > maxLength || !URL.canParse(plain)) return undefined;
  const url = new URL(plain);
  if (!/^https?:$/.test(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "" || url.hash !== "" || url.search !== "") return undefined;
  return url.href;
}

/** The column holds this much. */
const maxLength = 1_024;

/** The host and port of a server's configuration, which may hold a scheme and a path by mistake. */
export function hostOf(written: string): string | undefined {
  const [, host] = /^(?:https?:\/\/)?([^/?#]+)\/?$/i.exec(written.trim()) ?? [];
  if (host === undefined || host.includes("@") || !URL.canParse(`http://${host}`)) return undefined;
  return host;
}

/** The same path at another scheme, host and port: for a business server that stands behind a NAT. */
export function moveUrl(url: string, base: string): string {
  const { pathname } = new URL(url);
  return new URL(pathname, base).href;
}

/** Scheme, host and port alone, or undefined. */
export function originOf(written: string): string | undefined {
  const plain = unwrapUrl(written);
  if (plain === undefined || new URL(plain).pathname !== "/") return undefined;
  return new URL(plain).origin;
}

/** The port to other people's servers: only to hosts that the operator allowed. */

export interface Outbound {
  /**
   * Sends one POST. Follows no redirect; the answer's size and time are bounded; whatever status comes is an answer.
   * @throws OutboundRefused, OutboundFailed
   */
  post(url: string, request: OutboundRequest, signal?: AbortSignal): Promise<OutboundAnswer>;
  /** The same for a GET. @throws OutboundRefused, OutboundFailed */
  get(url: string, request: Omit<OutboundRequest, "body">): Promise<OutboundAnswer>;
}

export interface OutboundRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Where this request may go: `host` or `host:port`, compared exactly. */
  readonly hosts: readonly string[];
  /** From the start to the last byte of the answer. */
  readonly timeoutMs: number;
}

export interface OutboundAnswer {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/** More than any answer to a callback or a webhook needs. */
export const maxOutboundAnswerBytes = 64 * 1_024;

/** Nothing was sent: the address is not allowed. Trying again is of no use. */
export class OutboundRefused extends Error {
  override readonly name = "OutboundRefused";
}

/** No whole answer came. `reason` is a short code: `ECONNREFUSED`, `TIMEOUT`, `TOO_LARGE`. */
export class OutboundFailed extends Error {
  override readonly name = "OutboundFailed";
  readonly reason: string;
  readonly ms: number;
  constructor(reason: string, ms: number) {
    super(`no answer: ${reason}`);
    this.reason = reason;
    this.ms = ms;
  }
}

/** What came of a POST, for records and logs. */
export interface PostOutcome {
  /** Whether an answer came whose status is 2xx. */
  readonly ok: boolean;
  /** The HTTP status, or a short code where no answer came. */
  readonly status: string;
  /** The answer; nothing where none came. */
  readonly text: string | undefined;
  readonly ms: number;
}

/** A short code fits the column that records keep it in. */
const maxStatusLength = 40;

/** Sends one POST; a refusal and a failure are outcomes too. */
export async function tryPost(
  outbound: Outbound,
  url: string,
  request: OutboundRequest,
  signal?: AbortSignal,
): Promise<PostOutcome> {
  try {
    const { status, text, ms } = await outbound.post(url, request, signal);
    return { ok: status >= 200 && status < 300, status: String(status), text, ms };
  } catch (error) {
    if (error instanceof OutboundFailed)
      return { ok: false, status: error.reason.slice(0, maxStatusLength), text: undefined, ms: error.ms };
    if (error instanceof OutboundRefused) return { ok: false, status: "REFUSED", text: undefined, ms: 0 };
    throw error;
  }
}

const maxUrlLength = 2_048;

/** The URL, parsed, if it is one that may be called. @throws OutboundRefused */
export function allowedUrl(written: string, hosts: readonly string[]): URL {
  if (written.length > maxUrlLength || !URL.canParse(written)) throw new OutboundRefused("it is no URL");
  const url = new URL(written);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new OutboundRefused("it is neither http nor https");
  if (url.username !== "" || url.password !== "") throw new OutboundRefused("it holds a user or a password");
  if (url.hash !== "") throw new OutboundRefused("it holds a fragment");
  if (!hosts.some((host) => isHost(host, url)))
    throw new OutboundRefused(`its host "${url.host}" is not one of those allowed`);
  return url;
}

/** Compares host and port as the URL's own scheme reads them: `biz.example.com` is port 443 of https and 80 of http. */
function isHost(entry: string, url: URL): boolean {
  const written = `${url.protocol}//${entry}`;
  if (!isHostAndPort(entry) || !URL.canParse(written)) return false;
  return new URL(written).host === url.host;
}

/** Whether the text is a host, or host and port, and nothing more. */
export const isHostAndPort = (text: string): boolean => /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(text);

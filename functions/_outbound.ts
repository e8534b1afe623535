/** How other people's servers are called: by node:http, to an address that was checked, and by that address alone. */
import { lookup as resolve } from "node:dns";
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as TlsAgent } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { addressOf } from "../shared/address.ts";
import { addressMatcher, isInternal } from "../shared/networks.ts";
import {
  allowedUrl,
  maxOutboundAnswerBytes,
  type Outbound,
  type OutboundAnswer,
  OutboundFailed,
  OutboundRefused,
  type OutboundRequest,
} from "../shared/outbound.ts";

export interface OutboundOptions {
  /** Addresses that may be called although the internet does not route to them. */
  readonly networks: readonly string[];
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Whether connections are kept for the next call: not where the process is frozen in between. */
  readonly keepAlive: boolean;
}

export function makeOutbound({ networks, now, keepAlive }: OutboundOptions): Outbound {
  const isConfigured = addressMatcher(networks);
  const mayReach = (address: string): boolean => {
    const plain = addressOf(address);
    return plain !== undefined && (isConfigured(plain) || !isInternal(plain));
  };
  // Own agents: every connection in them was made by `lookup` below, so one that is kept leads to a checked address too.
  const agents = {
    "http:": new Agent({ keepAlive, timeout: idleMs }),
    "https:": new TlsAgent({ keepAlive, timeout: idleMs }),
  };

  /** One look at DNS; what it gives is checked and is what the socket connects to, so no second answer can differ. */
  const lookup: LookupFunction = (host, options, done) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, "", 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => mayReach(address)))
        return done(new OutboundRefused(`"${host}" has an address in a private network`), "", 0);
      if (options.all === true) (done as unknown as (error: null, all: typeof addresses) => void)(null, addresses);
      else done(null, first.address, first.family);
    });

  function send(url: URL, { headers, body, timeoutMs }: Call, signal?: AbortSignal): Promise<Received> {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // A literal address is connected to without a lookup.
    if (isIP(host) !== 0 && !mayReach(host)) throw new OutboundRefused(`"${host}" is in a private network`);
    return new Promise((fulfil, reject) => {
      const ask = url.protocol === "https:" ? requestHttps : requestHttp;
      const request: ClientRequest = ask(url, {
        method: body === undefined ? "GET" : "POST",
        agent: agents[url.protocol as keyof typeof agents],
        lookup,
        headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
        ...(signal === undefined ? {} : { signal }),
      });
      const timer = setTimeout(() => {
        reject(new Interrupted("TIMEOUT"));
        request.destroy();
      }, timeoutMs);
      request.once("close", () => clearTimeout(timer));
      request.on("error", (error) => reject(Object.assign(error, { reused: request.reusedSocket })));
      request.once("response", (response) =>
        read(response).then(
          (text) => {
            const { socket } = request;
            const received = { status: response.statusCode ?? 0, text };
            clearTimeout(timer);
            // A process that is frozen now leaves no connection behind that is closed by half.
            if (keepAlive || socket === null || socket.closed) return fulfil(received);
            socket.once("close", () => fulfil(received));
            socket.destroy();
          },
          (error) => {
            request.destroy();
            reject(error);
          },
        ),
      );
      request.end(body);
    });
  }

  async function call(written: string, asked: Call, signal?: AbortSignal): Promise<OutboundAnswer> {
    const url = allowedUrl(written, asked.hosts);
    const startedAt = now();
    const passed = () => Math.round(now() - startedAt);
    try {
      // A kept connection that its server has just closed says so at once: nothing was read there, and a new one is made.
      const received = await send(url, asked, signal).catch((error) => {
        if (error.reused === true && error.code === "ECONNRESET") return send(url, asked, signal);
        throw error;
      });
      return { ...received, ms: passed() };
    } catch (error) {
      if (error instanceof OutboundRefused) throw error;
      throw new OutboundFailed(reasonOf(error), passed());
    }
  }

  return { post: call, get: call };
}

/** Without a body it is a GET. */
type Call = Omit<OutboundRequest, "body"> & Partial<Pick<OutboundRequest, "body">>;

/** Shorter than the five seconds that Node's own servers keep a connection. */
const idleMs = 4_000;

interface Received {
  readonly status: number;
  readonly text: string;
}

/** Our own end of a call. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxOutboundAnswerBytes) throw new Interrupted("TOO_LARGE");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A code, never a message: those quote names and addresses. */
function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  return typeof code === "string" ? code : (name ?? "UNKNOWN");
}

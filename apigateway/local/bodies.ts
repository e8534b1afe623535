/** Bodies of requests. All of them together have a bound for each kind of caller, and each caller has a share of it. */
import type { IncomingMessage } from "node:http";
import { CallerLeft, Overflow } from "./bulkhead.ts";
import type { Caller } from "./caller_cache.ts";
import type { Limits } from "./limits.ts";

export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

export interface Body {
  readonly bytes: Buffer;
  /** To be called when the bytes are no longer needed. */
  release(): void;
}

const noBody = Promise.resolve<Body>({ bytes: Buffer.alloc(0), release: () => {} });

/** What is counted together: all bodies of a kind of caller, and those of one caller. */
type Names = readonly [kind: string, caller: string];

type BodyLimits = Pick<Limits, "maxBodyBytes" | "maxBodiesBytes">;

export class Bodies {
  readonly #limits: BodyLimits;
  readonly #held = new Map<string, number>();

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /**
   * A body that is too large is read to its end and dropped: a client that still writes would not see the answer.
   * @param most bytes of this route, where it takes more than others
   * @throws TooLarge; Overflow when the bodies of all requests are too large; an error when the client has left
   */
  read(request: IncomingMessage, caller: Caller, most = this.#limits.maxBodyBytes): Promise<Body> {
    if (!hasBody(request)) return noBody;
    const names = [caller.kind, `${caller.kind} ${caller.key}`] as const;
    return new Promise((resolve, reject) => {
      let chunks: Buffer[] = [];
      let read = 0;
      let held = 0;
      let full: Overflow | undefined;
      const release = () => {
        this.#count(names, -held);
        chunks = [];
        held = 0;
      };
      const fail = (error: unknown) => {
        release();
        reject(error);
      };
      // Listeners, not `for await`: an iterator over a stream costs 20 µs a request.
      request.on("data", (chunk: Buffer) => {
        read += chunk.length;
        full ??= this.#overflow(names, chunk.length);
        if (full !== undefined || read > most) return release();
        chunks.push(chunk);
        held += chunk.length;
        this.#count(names, chunk.length);
      });
      request.once("end", () => {
        if (read > most) fail(new TooLarge());
        else if (full !== undefined) fail(full);
        else resolve({ bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), release });
      });
      request.once("error", fail);
      request.once("close", () => {
        if (!request.readableEnded) fail(new CallerLeft());
      });
    });
  }

  #overflow([kind, name]: Names, bytes: number): Overflow | undefined {
    const { maxBodyBytes, maxBodiesBytes } = this.#limits;
    const own = this.#heldBy(name) + bytes > Math.max(maxBodyBytes, maxBodiesBytes / 4);
    return own || this.#heldBy(kind) + bytes > maxBodiesBytes ? new Overflow("bodies", own) : undefined;
  }

  #heldBy(name: string): number {
    return this.#held.get(name) ?? 0;
  }

  #count(names: Names, bytes: number): void {
    if (bytes === 0) return;
    for (const name of names) {
      const held = this.#heldBy(name) + bytes;
      if (held === 0) this.#held.delete(name);
      else this.#held.set(name, held);
    }
  }
}

/** RFC 9112, 6.3. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;

/**
 * Makes a call on behalf of functions whose network has no way out to it. It stands outside that network and has neither
 * database nor keys. Only clouds have it: elsewhere the functions call by themselves.
 */
import { type Outbound, type OutboundAnswer, OutboundFailed, OutboundRefused } from "../shared/outbound.ts";

export interface OutsideQuestion {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a POST; without it a GET is made. */
  readonly body?: string;
  /** The allowed hosts travel with the call, and are checked again here. */
  readonly hosts: readonly string[];
  readonly timeoutMs: number;
}

export type OutsideAnswer =
  | { readonly answer: OutboundAnswer }
  | { readonly refused: string }
  | { readonly failed: string; readonly ms: number };

/** @returns also what went wrong there: what is thrown loses its class on the way back */
export const askOutside =
  (outbound: Outbound) =>
  async ({ url, body, ...request }: OutsideQuestion): Promise<OutsideAnswer> => {
    try {
      const answer = body === undefined ? outbound.get(url, request) : outbound.post(url, { ...request, body });
      return { answer: await answer };
    } catch (error) {
      if (error instanceof OutboundRefused) return { refused: error.message };
      if (error instanceof OutboundFailed) return { failed: error.reason, ms: error.ms };
      throw error;
    }
  };

/** The port, where the calls are made by that function. */
export function outsideOutbound(ask: (question: OutsideQuestion) => Promise<OutsideAnswer>): Outbound {
  const call = async (question: OutsideQuestion): Promise<OutboundAnswer> => {
    const said = await ask(question);
    if ("answer" in said) return said.answer;
    if ("refused" in said) throw new OutboundRefused(said.refused);
    throw new OutboundFailed(said.failed, said.ms);
  };
  return {
    post: (url, { headers, body, hosts, timeoutMs }) => call({ url, headers, body, hosts, timeoutMs }),
    get: (url, { headers, hosts, timeoutMs }) => call({ url, headers, hosts, timeoutMs }),
  };
}

const unreachable = () => {
  throw new TypeError("here every function calls other servers by itself");
};

/** In the cloud the bundle's entry gives it a way out; elsewhere nobody calls it. */
export const handler = () => askOutside({ post: unreachable, get: unreachable });

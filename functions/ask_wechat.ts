/**
 * Asks WeChat on behalf of functions whose network has no way to IPv4 hosts. It stands outside that network and has neither
 * database nor keys. Only clouds have it: elsewhere every function reaches WeChat.
 */
import type { makeWechat } from "../shared/wechat.ts";

export interface Question {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The only path that may be requested. */
const path = "/sns/jscode2session";

/** @param client with WeChat's base URL and a time-out @returns WeChat's answer @throws any other outcome */
export const askWechat =
  (client: Parameters<typeof makeWechat>[0]) =>
  async (question: Question): Promise<{ data: unknown }> => {
    if (question.path !== path) throw new TypeError("only a code is changed into a session here");
    const { data } = await client.get(path, { params: question.params });
    return { data };
  };

const unreachable = {
  get: async () => {
    throw new TypeError("here every function reaches WeChat by itself");
  },
};

/** In the cloud the bundle's entry gives it a client; elsewhere it is never called. */
export const handler = () => askWechat(unreachable);

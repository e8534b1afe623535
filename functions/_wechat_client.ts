/** The HTTP client for WeChat, with limits on size and time of an answer, and without redirects. */
import axios, { type AxiosInstance } from "axios";

const answerMs = 5_000;
/** Its longest answer has half a kilobyte. Counted after unpacking, so that a small answer cannot become a large one. */
const maxAnswerBytes = 64 * 1_024;

/** @param baseURL WeChat's; @param timeoutMs from the request to the last byte of the answer */
export function wechatClient(baseURL: string, timeoutMs = answerMs): Pick<AxiosInstance, "get"> {
  const client = axios.create({
    baseURL,
    timeout: timeoutMs,
    maxContentLength: maxAnswerBytes,
    // The request holds the app's secret: it must not follow a redirect.
    maxRedirects: 0,
  });
  return {
    async get(path, options) {
      // The library's own time-out ends a silent connection only, not a slow answer.
      const timed = { ...options, signal: AbortSignal.timeout(timeoutMs) };
      try {
        return await client.get(path, timed);
      } catch (error) {
        if (!wasClosedBefore(error)) throw error;
        return client.get(path, timed);
      }
    },
  };
}

/**
 * A kept connection that the other end has closed, while the function was frozen or at the moment of the request: it was not read.
 * Node's documentation of `request.reusedSocket` has this second try.
 */
function wasClosedBefore(error: unknown): boolean {
  const request: { reusedSocket?: boolean } | undefined = axios.isAxiosError(error) ? error.request : undefined;
  return request?.reusedSocket === true && ["ECONNRESET", "EPIPE"].includes((error as { code?: string }).code ?? "");
}

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
    // The library's own time-out ends a silent connection only, not a slow answer.
    get: (path, options) => client.get(path, { ...options, signal: AbortSignal.timeout(timeoutMs) }),
  };
}

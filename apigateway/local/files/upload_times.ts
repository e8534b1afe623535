/** The times of an upload: other requests have half a minute in all, which a large file on a slow network does not keep. */
import type { IncomingMessage } from "node:http";
import { uploadMs } from "../../../shared/file_store.ts";

export interface UploadTimes {
  /** A client that sends nothing for so long has gone; it can send again. */
  readonly silentMs: number;
  readonly wholeMs: number;
}

export const uploadTimes: UploadTimes = { silentMs: 30_000, wholeMs: uploadMs };

/** Cuts an upload that stands still, or that takes longer than its address holds. @returns to be called at its end */
export function boundTime(request: IncomingMessage, { silentMs, wholeMs }: UploadTimes): () => void {
  // Without a listener for it Node destroys the socket. With the next request the server's own time is set again.
  request.socket.setTimeout(silentMs);
  const late = setTimeout(() => request.destroy(), wholeMs).unref();
  return () => clearTimeout(late);
}

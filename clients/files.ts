/**
 * Files: uploads with progress that can be cancelled and resumed, lists, addresses. An entry of its own, for every platform: it works
 * through a client, with the client's session.
 */
import { type ApiRequest, query } from "./api.ts";
import { type DownloadOptions, downloadByWx } from "./files/download.ts";
import type { Files, FilesQuery, FileView, Uploadable, UploadOptions, Work } from "./files/types.ts";
import { type Asker, uploadFile } from "./files/upload.ts";

export { ApiError } from "./api.ts";
export type { DownloadOptions } from "./files/download.ts";
export type * from "./files/types.ts";

/**
 * Uploads a file: in one request, or a large one in parts of which three go at a time. A lost network is waited for, and an
 * interrupted upload of parts goes on where it was, also after a reload.
 * @returns a promise of the file, with `cancel()`
 * @throws ApiError FILE_CONTENT_WRONG, FILE_TOO_LARGE, FILE_TYPE_REFUSED, FILES_FULL, PURPOSE_UNKNOWN, CANCELLED, NO_ANSWER when nothing has moved for five minutes
 * @example const film = await upload(client, input.files[0], { purpose: "film", onProgress: (sent, total) => show(sent / total) });
 */
export const upload = (client: Asker, file: Uploadable, options: UploadOptions): Work<FileView> =>
  uploadFile(client, file, options);

/**
 * Downloads a file in a mini-program, at most 200 MB.
 * @returns a promise of its path, with `cancel()` @throws ApiError FILE_UNKNOWN, CANCELLED, NO_ANSWER
 */
export const downloadFile = (client: Asker, id: string, options: DownloadOptions = {}): Work<string> =>
  downloadByWx(client, id, options);

/** The files of this client's user, and the public ones of a shop. */
export function files(client: Asker): Files {
  const ask = client.ask as <T>(request: ApiRequest) => Promise<T>;
  return {
    list: ({ purpose, shop, of, limit, before }: FilesQuery = {}) =>
      // The public ones need no session.
      ask({
        method: "GET",
        path: `/files?${query({ purpose, shop, of, limit, before })}`,
        open: !!shop && !client.session(),
      }),
    get: (id) => ask({ method: "GET", path: `/files/${id}`, open: !client.session() }),
    remove: (id) => ask({ method: "DELETE", path: `/files/${id}` }),
    addressOf: ({ id, path }, member) =>
      path ? client.url + (member ? `/files/${id}/${encodeURIComponent(member)}` : path) : undefined,
  };
}

/** Files of a phone in a browser's page, in the place of test/clients/_wx_files.ts: temporary paths lead to Blobs of this page. */
import type { WxDisk, WxLine } from "../clients/_wx_files.ts";

// A browser's own; this project's types are Node's.
// biome-ignore lint/suspicious/noExplicitAny: used in few places, and looked at by tests
declare const XMLHttpRequest: any;
// biome-ignore lint/suspicious/noExplicitAny: as above
declare const FormData: any;

type Fail = (error: { errMsg: string }) => void;

export interface BrowserDisk extends WxDisk {
  /** A file that a person chose, or that the app made. @returns its temporary path */
  add(name: string, blob: Blob): string;
  blobOf(path: string): Blob | undefined;
}

/** The disk of this page. */
export let browserDisk: BrowserDisk;

export function wxDisk(line: WxLine): WxDisk {
  const disk = new Map<string, Blob>();
  const missing = (fail: Fail, what: string) => fail({ errMsg: `${what}:fail no such file or directory` });
  const later = (work: () => void) => void setTimeout(work);

  browserDisk = {
    add(name, blob) {
      const path = `wxfile://tmp_${disk.size}_${name}`;
      disk.set(path, blob);
      return path;
    },
    blobOf: (path) => disk.get(path),
    choose() {
      throw new TypeError("a browser has no paths: add()");
    },
    contentOf() {
      throw new TypeError("a browser has no paths: blobOf()");
    },
    reads: { readFile: 0, read: 0 },
    uploadFile({ url, filePath, name, formData, success, fail }) {
      const request = new XMLHttpRequest();
      const listeners: ((progress: { totalBytesSent: number }) => void)[] = [];
      const blob = disk.get(filePath);
      const abort = () => request.abort();
      const end = () => line.end(abort);
      if (blob === undefined || !line.begin(abort)) later(() => missing(fail, "uploadFile"));
      else {
        const form = new FormData();
        for (const [field, value] of Object.entries(formData)) form.append(field, value);
        form.append(name, blob, filePath.replace(/.*_/, ""));
        request.open("POST", url);
        request.upload.onprogress = ({ loaded }: { loaded: number }) => {
          for (const listener of listeners) listener({ totalBytesSent: loaded });
        };
        request.onload = () => {
          end();
          success({ statusCode: request.status, data: request.responseText });
        };
        request.onerror = request.onabort = () => {
          end();
          fail({ errMsg: "uploadFile:fail abort" });
        };
        request.send(form);
      }
      return { abort, onProgressUpdate: (listener) => void listeners.push(listener) };
    },
    downloadFile({ url, success, fail }) {
      const abort = new AbortController();
      fetch(url, { signal: abort.signal })
        .then(async (answer) => {
          const path = browserDisk.add("download", await answer.blob());
          success({ statusCode: answer.status, tempFilePath: path });
        })
        .catch(() => fail({ errMsg: "downloadFile:fail abort" }));
      return { abort: () => abort.abort(), onProgressUpdate() {} };
    },
    getFileSystemManager: () => ({
      stat({ path, success, fail }) {
        const blob = disk.get(path);
        later(() =>
          blob === undefined ? missing(fail, "stat") : success({ stats: { size: blob.size, lastModifiedTime: 0 } }),
        );
      },
      readFile({ filePath, position, length, success, fail }) {
        const blob = disk.get(filePath);
        if (blob === undefined) return later(() => missing(fail, "readFile"));
        void blob
          .slice(position, position + length)
          .arrayBuffer()
          .then((data) => success({ data }));
      },
      open: ({ fail }) => later(() => missing(fail, "open")),
      read: ({ fail }) => later(() => missing(fail, "read")),
      close() {},
    }),
  };
  return browserDisk;
}

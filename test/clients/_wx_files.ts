/**
 * Files of the stand-in for `wx`: uploads that are forms only, downloads to a path, and the file system, within WeChat's limits.
 * Sources: developers.weixin.qq.com, wx.uploadFile, wx.downloadFile, network; miniprogram-api-typings 5.2.3, FileSystemManager.
 */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WxFiles } from "../../clients/files/wx.ts";

export interface WxDisk extends Pick<WxFiles, "uploadFile" | "downloadFile" | "getFileSystemManager"> {
  /** A file that a person chose: its temporary path, as `wx.chooseMedia` gives it. */
  choose(file: string): string;
  /** The bytes at a path of the app. */
  contentOf(path: string): Buffer;
  /** The paths that were read by `readFile`, and by `read`. */
  readonly reads: { readFile: number; read: number };
}

export interface WxLine {
  /** A request may begin; false: ten run already. */
  begin(abort: () => void): boolean;
  end(abort: () => void): void;
  refuse(fail: (error: { errMsg: string }) => void, errMsg: string): void;
  suspended(): boolean;
  /** Hosts that the console knows; undefined: DevTools with 不校验合法域名. */
  readonly domains?: { readonly upload: readonly string[]; readonly download: readonly string[] } | undefined;
}

/** Of `readFile`; and what a download may have. */
const limits = { readFile: 100 * 1_024 * 1_024, download: 200 * 1_024 * 1_024 };
const chunkBytes = 16 * 1_024;
const types: Record<string, string> = { jpg: "image/jpeg", png: "image/png", mp4: "video/mp4", txt: "text/plain" };

type Fail = (error: { errMsg: string }) => void;

export function wxDisk(line: WxLine): WxDisk {
  const disk = new Map<string, string>();
  const handles = new Map<string, number>();
  const reads = { readFile: 0, read: 0 };
  const placeOf = (path: string) => disk.get(path);

  /** Sends a body in chunks that tell how far it is. @returns how to abort it */
  function exchange(
    what: "uploadFile" | "downloadFile",
    { url, timeout, fail }: { url: string; timeout: number; fail: Fail },
    method: string,
    headers: Record<string, string>,
    body: Buffer,
    on: { sent(bytes: number): void; got(bytes: number, of: number): void; done(status: number, body: Buffer): void },
  ): () => void {
    const hosts = what === "uploadFile" ? line.domains?.upload : line.domains?.download;
    const refuse = (why: string) => {
      line.refuse(fail, `${what}:fail ${why}`);
      return () => {};
    };
    if (hosts && !hosts.includes(new URL(url).host)) return refuse("url not in domain list");
    let over = false;
    const end = (errMsg?: string) => {
      if (over) return false;
      over = true;
      clearTimeout(timer);
      line.end(abort);
      if (errMsg !== undefined) setTimeout(() => fail({ errMsg: `${what}:fail ${errMsg}` }));
      return true;
    };
    const abort = () => {
      if (end(line.suspended() ? "interrupted" : "abort")) request.destroy();
    };
    if (!line.begin(abort)) return refuse("exceed max concurrent count");
    const request = httpRequest(url, { method, headers: { ...headers, "content-length": body.length } });
    const timer = setTimeout(() => {
      if (end("timeout")) request.destroy();
    }, timeout);
    request.on("error", (error) => end(`${error.message}`));
    request.on("response", (answer) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const expected = Number(answer.headers["content-length"] ?? 0);
      answer.on("error", (error) => end(error.message));
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limits.download && what === "downloadFile" && end("exceed max file size")) request.destroy();
        chunks.push(chunk);
        if (!over) on.got(bytes, expected);
      });
      answer.on("end", () => {
        if (end()) on.done(answer.statusCode ?? 0, Buffer.concat(chunks));
      });
    });
    const write = (at: number): void => {
      if (over) return;
      if (at >= body.length) return void request.end();
      request.write(body.subarray(at, at + chunkBytes), () => {
        if (over) return;
        on.sent(Math.min(body.length, at + chunkBytes));
        write(at + chunkBytes);
      });
    };
    write(0);
    return abort;
  }

  const uploadFile: WxFiles["uploadFile"] = ({ url, filePath, name, formData, timeout, success, fail }) => {
    let hear = (_: { totalBytesSent: number }) => {};
    const file = placeOf(filePath);
    if (file === undefined) {
      setTimeout(() => fail({ errMsg: "uploadFile:fail file not found" }));
      return { abort() {}, onProgressUpdate() {} };
    }
    const boundary = randomBytes(16).toString("hex");
    const fields = Object.entries(formData).map(
      ([field, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
    );
    // The name is that of the temporary file: a phone knows no other.
    const base = filePath.split("/").pop() ?? "";
    const type = types[base.split(".").pop() ?? ""] ?? "application/octet-stream";
    const head = `${fields.join("")}--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${base}"\r\nContent-Type: ${type}\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), readFileSync(file), Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}` };
    const abort = exchange("uploadFile", { url, timeout, fail }, "POST", headers, body, {
      sent: (totalBytesSent) => hear({ totalBytesSent }),
      got() {},
      // `success` is called for any status, and data is text.
      done: (statusCode, data) => success({ statusCode, data: data.toString() }),
    });
    return {
      abort,
      onProgressUpdate(listener) {
        hear = listener;
      },
    };
  };

  const downloadFile: WxFiles["downloadFile"] = ({ url, filePath, timeout, success, fail }) => {
    let hear = (_: { totalBytesWritten: number; totalBytesExpectedToWrite: number }) => {};
    const abort = exchange("downloadFile", { url, timeout, fail }, "GET", {}, Buffer.alloc(0), {
      sent() {},
      got: (totalBytesWritten, totalBytesExpectedToWrite) => hear({ totalBytesWritten, totalBytesExpectedToWrite }),
      // Whatever was answered is in the file.
      done(statusCode, data) {
        const path = filePath ?? temporary("tmp");
        const place = join(tmpdir(), `orderbell-wx-${randomBytes(8).toString("hex")}`);
        writeFileSync(place, data);
        disk.set(path, place);
        success({ statusCode, ...(filePath === undefined ? { tempFilePath: path } : { filePath }) });
      },
    });
    return {
      abort,
      onProgressUpdate(listener) {
        hear = listener;
      },
    };
  };

  const temporary = (ending: string) => `wxfile://tmp_${randomBytes(8).toString("hex")}.${ending}`;
  /** Calls back later, as everything of the file system does. */
  const later = <T>(success: (value: T) => void, fail: Fail, what: string, work: () => T) =>
    setTimeout(() => {
      let value: T;
      try {
        value = work();
      } catch (error) {
        return fail({ errMsg: `${what}:fail ${(error as Error).message}` });
      }
      success(value);
    });
  const existing = (path: string) => {
    const place = placeOf(path);
    if (place === undefined) throw new Error(`no such file or directory ${path}`);
    return place;
  };

  const manager: ReturnType<WxFiles["getFileSystemManager"]> = {
    stat: ({ path, success, fail }) =>
      later(success, fail, "stat", () => {
        const { size, mtimeMs } = statSync(existing(path));
        return { stats: { size, lastModifiedTime: Math.floor(mtimeMs / 1_000) } };
      }),
    readFile: ({ filePath, position, length, success, fail }) =>
      later(success, fail, "readFile", () => {
        const place = existing(filePath);
        reads.readFile += 1;
        // Also for a part of it.
        if (statSync(place).size > limits.readFile) throw new Error("the maximum size of the file limit is exceeded");
        return { data: readAt(place, position, length) };
      }),
    open: ({ filePath, success, fail }) =>
      later(success, fail, "open", () => {
        const fd = `${handles.size + 1}`;
        handles.set(fd, openSync(existing(filePath), "r"));
        return { fd };
      }),
    read: ({ fd, arrayBuffer, offset, length, position, success, fail }) =>
      later(success, fail, "read", () => {
        const handle = handles.get(fd);
        if (handle === undefined) throw new Error("bad file descriptor");
        reads.read += 1;
        return { bytesRead: readSync(handle, new Uint8Array(arrayBuffer), offset, length, position) };
      }),
    close: ({ fd }) => {
      const handle = handles.get(fd);
      handles.delete(fd);
      if (handle !== undefined) closeSync(handle);
    },
  };
  return {
    reads,
    choose(file) {
      const path = temporary(file.split(".").pop() ?? "tmp");
      disk.set(path, file);
      return path;
    },
    contentOf: (path) => readFileSync(existing(path)),
    uploadFile,
    downloadFile,
    getFileSystemManager: () => manager,
  };
}

function readAt(place: string, position: number, length: number): ArrayBuffer {
  const handle = openSync(place, "r");
  const bytes = new Uint8Array(length);
  const got = readSync(handle, bytes, 0, length, position);
  closeSync(handle);
  return bytes.slice(0, got).buffer;
}

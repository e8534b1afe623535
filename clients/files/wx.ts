/** Files in a mini-program: `wx`, as far as it is used here. */

interface Failed {
  errMsg: string;
}

interface Task {
  abort(): void;
}

interface Callbacks<T> {
  success(result: T): void;
  fail(error: Failed): void;
}

interface FileSystem {
  stat(options: { path: string } & Callbacks<{ stats: { size: number; lastModifiedTime: number } }>): void;
  readFile(
    options: { filePath: string; position: number; length: number } & Callbacks<{ data: ArrayBuffer | string }>,
  ): void;
  open(options: { filePath: string; flag: "r" } & Callbacks<{ fd: string }>): void;
  read(
    options: { fd: string; arrayBuffer: ArrayBuffer; offset: number; length: number; position: number } & Callbacks<{
      bytesRead: number;
    }>,
  ): void;
  close(options: { fd: string } & Partial<Callbacks<unknown>>): void;
}

export interface WxFiles {
  request(
    options: {
      url: string;
      method: string;
      header: Record<string, string>;
      data: ArrayBuffer;
      dataType: "text";
      timeout: number;
    } & Callbacks<{ statusCode: number; data: unknown }>,
  ): Task;
  uploadFile(
    options: {
      url: string;
      filePath: string;
      name: string;
      formData: Record<string, string>;
      timeout: number;
    } & Callbacks<{ statusCode: number; data: string }>,
  ): Task & { onProgressUpdate(listener: (progress: { totalBytesSent: number }) => void): void };
  downloadFile(
    options: { url: string; filePath?: string; timeout: number } & Callbacks<{
      statusCode: number;
      tempFilePath?: string;
      filePath?: string;
    }>,
  ): Task & {
    onProgressUpdate(
      listener: (progress: { totalBytesWritten: number; totalBytesExpectedToWrite: number }) => void,
    ): void;
  };
  getFileSystemManager(): FileSystem;
}

declare const wx: WxFiles | undefined;

/** `wx` of a mini-program; a page inside WeChat has another one, without files. */
export const wxFiles = (): WxFiles | undefined =>
  typeof wx === "object" && typeof wx.getFileSystemManager === "function" ? wx : undefined;

/** A call of `wx` as a promise. */
export const asked = <T>(call: (callbacks: Callbacks<T>) => unknown): Promise<T> =>
  new Promise((resolve, reject) => call({ success: resolve, fail: ({ errMsg }) => reject(new Error(errMsg)) }));

/** `readFile` refuses files above it, also for a part of them. */
const mostByReadFile = 100 * 1_024 * 1_024;

/** Reads a part of a file. */
export async function readPart(app: WxFiles, path: string, bytes: number, from: number, to: number) {
  const disk = app.getFileSystemManager();
  const length = to - from;
  if (bytes <= mostByReadFile) {
    const { data } = await asked<{ data: ArrayBuffer | string }>((back) =>
      disk.readFile({ filePath: path, position: from, length, ...back }),
    );
    return new Uint8Array(data as ArrayBuffer);
  }
  const { fd } = await asked<{ fd: string }>((back) => disk.open({ filePath: path, flag: "r", ...back }));
  const arrayBuffer = new ArrayBuffer(length);
  try {
    for (let offset = 0; offset < length; ) {
      const { bytesRead } = await asked<{ bytesRead: number }>((back) =>
        disk.read({ fd, arrayBuffer, offset, length: length - offset, position: from + offset, ...back }),
      );
      if (!bytesRead) throw new Error("the file has become shorter");
      offset += bytesRead;
    }
  } finally {
    disk.close({ fd });
  }
  return new Uint8Array(arrayBuffer);
}

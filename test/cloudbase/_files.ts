/** Files of CloudBase's own client: its storage without its types, which know neither Node's buffers nor partial failures. */
import { randomBytes } from "node:crypto";
import type { CloudbaseApp } from "./_client.ts";

export interface FileTold {
  readonly fileID: string;
  readonly code: string;
  readonly message?: string;
  readonly tempFileURL?: string;
  readonly download_url?: string;
  readonly size?: number;
  readonly mime?: string;
  readonly etag?: string;
}

/** What the client offers, as its documentation writes it. */
export interface Storage {
  uploadFile(options: {
    cloudPath: string;
    filePath?: unknown;
    fileContent?: unknown;
    method?: "put" | "post";
    headers?: Readonly<Record<string, string>>;
    onUploadProgress?: (event: { loaded: number; total: number }) => void;
  }): Promise<{ fileID: string; download_url?: string; requestId?: string }>;
  getTempFileURL(options: {
    fileList: readonly (string | { fileID: string; maxAge: number })[];
  }): Promise<{ fileList: readonly FileTold[]; requestId?: string }>;
  downloadFile(options: {
    fileID: string;
    tempFilePath?: string;
  }): Promise<{ fileContent?: Buffer; statusCode?: number }>;
  deleteFile(options: { fileList: readonly string[] }): Promise<{ fileList: readonly FileTold[] }>;
  getFileInfo(options: { fileList: readonly string[] }): Promise<{ fileList: readonly FileTold[] }>;
  copyFile(options: {
    fileList: readonly { srcPath: string; dstPath: string }[];
  }): Promise<{ fileList?: readonly FileTold[]; code?: string }>;
}

export const storageOf = (app: CloudbaseApp): Storage => app as unknown as Storage;

/** A picture of one pixel. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** A picture that no other file is the same as. */
export const anotherPng = (): Buffer => Buffer.concat([png, randomBytes(12)]);

/** Which errors the promise ends with, in words that a test compares. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    return `no error: ${JSON.stringify(await promise)}`;
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    return `${code ?? ""} ${message ?? ""}`;
  }
}

/** Types of files. */
import type { ApiError } from "../api.ts";

/** `private`: for its owner, and the staff of its shop. `unlisted`: for anybody who has its id. `public`: in its shop's list too. */
export type Visibility = "private" | "unlisted" | "public";

/** A file as the server knows it. */
export interface FileView {
  id: string;
  /** Declared in files.yml. */
  purpose: string;
  name: string;
  /** Such as image/png: decided by the content. */
  type: string;
  bytes: number;
  visibility: Visibility;
  /** `waiting`: its bytes are not there yet. */
  state: "waiting" | "stored";
  shop: string | null;
  /** The file whose set it belongs to, such as the film of a segment. */
  of: string | null;
  /** What the uploader wrote about it. */
  about: About | null;
  /** RFC 3339, UTC. */
  createdAt: string;
  storedAt: string | null;
  /** Its stable path, of unlisted and public files: `addressOf(file)` makes an address of it. */
  path: string | null;
}

/** A flat object of 1 KB at most, such as `{ title, seconds, poster }`. */
export type About = Record<string, string | number | boolean>;

/** A Blob or File, as far as it is used. */
export interface Chosen {
  readonly size: number;
  readonly type: string;
  slice(start?: number, end?: number): Chosen;
  readonly name?: string;
  readonly lastModified?: number;
}

/**
 * What can be uploaded: a Blob or File; a path, of `wx.chooseMedia` or `wx.chooseMessageFile` in a mini-program, of the disk on Node;
 * bytes; on Node also a stream, with `bytes` in the options.
 */
export type Uploadable = Chosen | string | Uint8Array | AsyncIterable<Uint8Array>;

/** An AbortSignal, as far as it is used: a mini-program has none. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(what: "abort", listener: () => void): void;
  removeEventListener(what: "abort", listener: () => void): void;
}

/** Options of what takes a while and may be cancelled. */
export interface WorkOptions {
  /** Bytes that have gone, and all of them; it never falls. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** The network is away, or the server asks to wait: it goes on by itself. Called before each pause. */
  onRetry?: (error: ApiError) => void;
  signal?: Signal | undefined;
}

export interface UploadOptions extends WorkOptions {
  /** One of files.yml: what may be uploaded, how much, by whom. */
  purpose: string;
  /** Default: the file's own, or the last part of its path. */
  name?: string | undefined;
  /** Default: the Blob's, or by the name's ending. */
  type?: string | undefined;
  /** The length of a stream. */
  bytes?: number;
  /** Default: the purpose's. */
  visibility?: Visibility;
  shop?: string;
  of?: string;
  about?: About;
  /** Go on with an upload of the same file that was interrupted, by a reload too. Default true. */
  resume?: boolean;
}

/** A promise that can be cancelled: it then rejects with the code CANCELLED. */
export interface Work<T> extends Promise<T> {
  cancel(): void;
}

export interface FilesQuery {
  purpose?: string;
  /** The public files of this shop; without it one's own. */
  shop?: string;
  /** The set of this file. */
  of?: string;
  limit?: number;
  /** The id of a file; only older ones are returned. */
  before?: string;
}

/** Where a file may be fetched for a while. */
export interface FileAddress {
  url: string;
  /** RFC 3339, UTC. */
  expiresAt: string;
}

export interface Files {
  /** A page of files, newest first. @throws ApiError */
  list(query?: FilesQuery): Promise<{ files: FileView[]; more: boolean }>;
  /** A file, and an address that is valid for a quarter of an hour; null while it waits for its bytes. @throws ApiError FILE_UNKNOWN */
  get(id: string): Promise<{ file: FileView; address: FileAddress | null }>;
  /** Removes it, with its set. @throws ApiError FILE_UNKNOWN */
  remove(id: string): Promise<void>;
  /**
   * The address of an unlisted or public file that stays the same, for `<img>` and `<video>`. Undefined for a private one.
   * @param member the name of a file of its set, such as a film's `poster.jpg`
   */
  addressOf(file: Pick<FileView, "id" | "path">, member?: string): string | undefined;
}

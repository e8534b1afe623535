/**
 * Port of the files' storage: signed addresses at which clients themselves store and fetch bytes, and what a function may ask about
 * an object. Adapters: a folder of this machine (apigateway/local/file_store.ts), S3 and stores that speak its language
 * (apigateway/s3_store.ts). Both behave as test/contracts/file_store.ts says.
 */

/**
 * An object's name in the store: made by us out of random letters, never out of a client's text. `incoming/…` holds what a form
 * has sent, until it is checked and moved; a store removes what is left there after a day.
 */
export type ObjectPath = string;

/** What is signed about an object: the store refuses other sizes and types. */
export interface NewObject {
  readonly path: ObjectPath;
  readonly type: string;
  readonly bytes: number;
}

/** The request that stores bytes. */
export interface UploadRequest {
  readonly method: "PUT";
  /** Absolute, or to be resolved against the API's address. */
  readonly url: string;
  /** To be sent as they are; the client's own are its length and its origin. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A form that stores bytes: `multipart/form-data` with these fields first and the file last, as `wx.uploadFile` sends it. */
export interface UploadForm {
  readonly method: "POST";
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Name of the file's field, which comes last. */
  readonly fileField: "file";
}

/** A part of a large object, from 1. All but the last have at least 5 MB, as S3 wants them. */
export interface StoredPart {
  readonly part: number;
  readonly bytes: number;
  readonly etag: string;
}

export interface StoredObject {
  readonly bytes: number;
  /** With its quotes. */
  readonly etag: string;
}

/** How a client may fetch an object. */
export interface Fetch {
  readonly path: ObjectPath;
  /** The answer's `Content-Type`: the one that was checked. */
  readonly type: string;
  /** The answer's `Content-Disposition`, RFC 6266. */
  readonly disposition: string;
}

export interface FileStore {
  /** Whether a signed request may carry an `Authorization` of the client's own. S3 refuses such a request. */
  readonly ignoresAuthorization?: boolean;
  /** Signs a whole upload, valid for `uploadMs`. An object that exists is never replaced: the second PUT is refused with 412. */
  put(object: NewObject): Promise<UploadRequest>;
  /** Signs an upload by a form, valid for `uploadMs`, to a path below `incoming/`. */
  form(object: NewObject): Promise<UploadForm>;

  /** Begins an upload in parts. @returns its id */
  beginParts(object: NewObject): Promise<string>;
  /** Signs one part of exactly so many bytes, valid for `uploadMs`; a part may be sent again. */
  part(object: NewObject, upload: string, part: number, bytes: number): Promise<UploadRequest>;
  /** The parts that are there, in their order: all of them, also above a thousand. */
  parts(path: ObjectPath, upload: string): Promise<StoredPart[]>;
  /** Joins the parts, once. @returns false when the upload is gone: joined or abandoned before */
  joinParts(path: ObjectPath, upload: string, parts: readonly StoredPart[]): Promise<boolean>;
  abandonParts(path: ObjectPath, upload: string): Promise<void>;

  /** @returns undefined while there is nothing */
  find(path: ObjectPath): Promise<StoredObject | undefined>;
  /** The first bytes of an object, at most `most`. Of a playlist: all. */
  read(path: ObjectPath, most: number): Promise<Uint8Array>;
  /** Stores a small object of our own. */
  write(object: NewObject, body: Uint8Array): Promise<void>;
  /** Moves an object out of `incoming/`. An object at the new path is not replaced. */
  move(from: ObjectPath, to: NewObject): Promise<void>;
  /** What is gone already is no error. */
  remove(paths: readonly ObjectPath[]): Promise<void>;

  /**
   * An address that is valid for at least `fetchMs`, with ranges, ETag and CORS. Requests within one quarter of an hour get the same
   * one, so that a browser can use its cache.
   */
  fetch(what: Fetch): Promise<{ readonly url: string; readonly expiresAt: number }>;

  /**
   * Tries at a path of the caller's what not every store does as it must, for `npx orderbell doctor`; a folder of this machine has none.
   * @returns what is wrong
   */
  check?(path: ObjectPath): Promise<string | undefined>;
}

/** Requests within the same quarter of an hour get the same address. */
export const quarterMs = 15 * 60_000;
export const quarterOf = (at: number): number => Math.floor(at / quarterMs) * quarterMs;
/** How long a signed upload is valid: of a part too, which a slow phone needs. */
export const uploadMs = 60 * 60_000;
/** How long a signed address to fetch is valid at least. */
export const fetchMs = 15 * 60_000;
/** Parts of a large upload: S3 allows at most 10,000. */
export const partBytes = 16 * 1_024 * 1_024;
/** Above it an upload goes in parts. */
export const mostInOneRequest = 64 * 1_024 * 1_024;

/** This process has no storage of files: a function without the right to it, or a part that is served alone. */
export class NoStore extends TypeError {
  override readonly name = "NoStore";
}

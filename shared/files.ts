/** Port of the pictures' storage: uploads and addresses. */
import * as v from "valibot";
import * as shape from "./shape.ts";

export interface Files {
  /** A signed upload of exactly so many bytes of this type, valid for `uploadMs`. */
  upload(path: string, type: PictureType, bytes: number): Promise<Upload>;
  /** The address that a menu has as `picture`. */
  urlOf(path: string): string;
}

/** The request that uploads the bytes. */
export interface Upload {
  readonly method: "PUT";
  /** Absolute, or to be resolved against the API's address. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Type → ending. No SVG: it is a document that can run scripts. */
export const pictureTypes = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" } as const;
export type PictureType = keyof typeof pictureTypes;

export const maxPictureBytes = 2 * 1_024 * 1_024;
/** How long an upload is valid. */
export const uploadMs = 5 * 60_000;

export const picture = v.strictObject({
  type: v.picklist(Object.keys(pictureTypes) as PictureType[]),
  bytes: shape.integer(1, maxPictureBytes),
});

const path = /^[A-Za-z0-9_-]{1,40}\/[A-Za-z0-9_-]{22}\.(jpg|png|webp)$/;

/** The type of an uploaded picture by its path; undefined for any other path. */
export function typeOf(name: string): PictureType | undefined {
  const ending = path.exec(name)?.[1];
  return (Object.keys(pictureTypes) as PictureType[]).find((type) => pictureTypes[type] === ending);
}

/** Whether the bytes begin as this type does. Sources: JFIF; PNG 5.2; RFC 9649, 2.3. */
export function beginsAs(type: PictureType, bytes: Uint8Array): boolean {
  const at = (offset: number, text: string) =>
    [...text].every((sign, nth) => bytes[offset + nth] === sign.charCodeAt(0));
  if (type === "image/jpeg") return at(0, "\xff\xd8\xff");
  if (type === "image/png") return at(0, "\x89PNG\r\n\x1a\n");
  return at(0, "RIFF") && at(8, "WEBP");
}

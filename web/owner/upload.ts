/** Uploads from this device: pictures of a useful size, and what an error means to the owner. */
import { ApiError } from "../../clients/browser.ts";
import { upload, type WorkOptions } from "../../clients/files.ts";
import { client, reasonOf } from "./client.ts";
import { bytesOf, words } from "./dictionary.ts";

export const pictureTypes = ["image/jpeg", "image/png", "image/webp"];
/** The longer side: two device pixels for each CSS pixel of the largest picture on a page. */
const maxSide = 1_200;
/** Smaller files are sent unchanged. */
const fineBytes = 250_000;

/** A fault of the file that the user can correct. */
export class FileFault extends Error {}

/** @returns the path for the menu @throws FileFault, ApiError */
export async function uploadPicture(shop: string, file: File, options: WorkOptions): Promise<string> {
  const picture = await fitting(file);
  const { path } = await upload(client, picture, {
    ...options,
    purpose: "dish",
    shop,
    name: nameOf(picture, file.name),
  });
  return path as string;
}

/** @returns the picture in a useful size @throws FileFault */
export async function fitting(file: File): Promise<Blob> {
  if (!pictureTypes.includes(file.type)) throw new FileFault(words.pictureWrong);
  if (file.size <= fineBytes || typeof createImageBitmap !== "function") return file;
  const image = await createImageBitmap(file).catch(() => undefined);
  if (image === undefined) return file;
  const made = await drawn(image, image.width, image.height);
  return made !== undefined && made.size < file.size ? made : file;
}

/** A JPEG of it, not larger than is useful. Undefined where the browser cannot. */
export async function drawn(image: CanvasImageSource, width: number, height: number): Promise<Blob | undefined> {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  // White behind transparent parts, which would become black in a JPEG.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return made ?? undefined;
}

/** `photo.png` that became a JPEG → `photo.jpg` */
const nameOf = ({ type }: Blob, name: string) => name.replace(/\.\w+$/, "") + (endings[type] ?? "");
const endings: Record<string, string> = { "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp" };

/** What the owner reads when an upload has failed; undefined when the owner cancelled it. @param wrong for content of another type */
export function uploadFault(error: unknown, wrong: string): string | undefined {
  if (error instanceof FileFault) return error.message;
  if (!(error instanceof ApiError)) return reasonOf(error);
  switch (error.code) {
    case "CANCELLED":
      return undefined;
    case "FILE_TYPE_REFUSED":
    case "FILE_CONTENT_WRONG":
      return wrong;
    case "FILE_TOO_LARGE":
      return words.fileTooLarge(bytesOf(error.extra.maxBytes));
    case "FILES_FULL":
      return words.filesFull;
    case "NO_ANSWER":
      return words.uploadLost;
    default:
      return reasonOf(error);
  }
}

/** Upload of a picture from this device to the shop's files. */
import { ask } from "./client.ts";
import { words } from "./dictionary.ts";

interface Place {
  upload: { method: string; url: string; headers: Record<string, string> };
  picture: string;
}

const types = ["image/jpeg", "image/png", "image/webp"];
const maxBytes = 2 * 1_024 * 1_024;
/** The longer side: two device pixels for each CSS pixel of the largest picture on a page. */
const maxSide = 1_200;
/** Smaller files are sent unchanged. */
const fineBytes = 250_000;

/** A fault of the picture that the user can correct. */
export class PictureError extends Error {}

/** @returns the path for the menu @throws PictureError, ApiError */
export async function uploadPicture(shop: string, file: File): Promise<string> {
  if (!types.includes(file.type)) throw new PictureError(words.pictureWrong);
  const picture = await smaller(file);
  if (picture.size > maxBytes) throw new PictureError(words.pictureTooLarge);
  const { upload, picture: path } = await ask<Place>("POST", shop, "/pictures", {
    type: picture.type,
    bytes: picture.size,
  });
  const { method, headers } = upload;
  const answer = await fetch(new URL(upload.url, location.origin), { method, headers, body: picture });
  if (answer.status === 400) throw new PictureError(words.pictureWrong);
  if (!answer.ok) throw new PictureError(words.noAnswer);
  return path;
}

/** Scales it to a useful size; returns the file itself where the browser cannot. */
async function smaller(file: File): Promise<Blob> {
  if (file.size <= fineBytes || typeof createImageBitmap !== "function") return file;
  const image = await createImageBitmap(file).catch(() => undefined);
  if (image === undefined) return file;
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return file;
  // White behind transparent parts, which would become black in a JPEG.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return made !== null && made.size < file.size ? made : file;
}

/** A picture from this device into the shop's files. */
import { ask } from "./client.ts";
import { words } from "./speak.ts";

interface Place {
  upload: { method: string; url: string; headers: Record<string, string> };
  picture: string;
}

const types = ["image/jpeg", "image/png", "image/webp"];
const maxBytes = 2 * 1_024 * 1_024;
/** Two device pixels for each of the largest place where a dish is shown. */
const maxSide = 1_200;
/** Smaller ones stay as they are. */
const fineBytes = 250_000;

/** What the person can mend. */
export class PictureRefused extends Error {}

/** @returns the path for the menu @throws PictureRefused, ApiError */
export async function uploadPicture(shop: string, file: File): Promise<string> {
  if (!types.includes(file.type)) throw new PictureRefused(words.pictureWrong);
  const picture = await smaller(file);
  if (picture.size > maxBytes) throw new PictureRefused(words.pictureTooLarge);
  const { upload, picture: path } = await ask<Place>("POST", shop, "/pictures", {
    type: picture.type,
    bytes: picture.size,
  });
  const { method, headers } = upload;
  const answer = await fetch(new URL(upload.url, location.origin), { method, headers, body: picture });
  if (answer.status === 400) throw new PictureRefused(words.pictureWrong);
  if (!answer.ok) throw new PictureRefused(words.noAnswer);
  return path;
}

/** As a photo of useful size; the file itself where the browser cannot. */
async function smaller(file: File): Promise<Blob> {
  if (file.size <= fineBytes) return file;
  const image = await createImageBitmap(file).catch(() => undefined);
  if (image === undefined) return file;
  const scale = Math.min(1, maxSide / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return file;
  // A picture with glass in it would become black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return made !== null && made.size < file.size ? made : file;
}

/** The check of a file's content: what it declares is not trusted. */
import { anyKind, type Kind, kinds } from "./kinds.ts";
import { maxPixels } from "./pixels.ts";

/** @param head its first bytes @returns why the file is not of this kind; undefined when it is */
export function whyNot(kind: Kind, head: Uint8Array): string | undefined {
  if (!kind.is(head)) return `the content is not ${kind.types[0]}`;
  const size = kind.size?.(head);
  if (size === undefined) return undefined;
  const { width, height } = size;
  if (width === 0 || height === 0) return "the picture has no width or no height";
  return width * height > maxPixels
    ? `the picture declares ${width} × ${height} pixels; at most ${maxPixels / 1_000_000} million`
    : undefined;
}

/** The type of a file whose sender does not know it, by its first bytes; texts are none. */
export const typeOfContent = (head: Uint8Array): string =>
  [...kinds.values()].find((kind) => !kind.types[0].startsWith("text/") && whyNot(kind, head) === undefined)
    ?.types[0] ?? anyKind.types[0];

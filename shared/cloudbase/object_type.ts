/** The type of an object: found in its content, as its name and its declared type only say what to look for first. */
import { FileTypeRefused } from "../errors.ts";
import { whyNot } from "../files/content.ts";
import { anyKind, type Kind, kindOf, kinds, typesOf } from "../files/kinds.ts";
import type { Purpose } from "../purpose.ts";
import { endingOf } from "./cloud_path.ts";

/** What is known for sure by the first bytes, whatever it is called: phones give pictures wrong endings. */
const sure = ["jpg", "png", "webp", "gif", "webm", "mov", "mp4", "flac", "pdf"] as const;
/** Parts of adaptive streams are found by the addresses of their set, which a path of CloudBase's has not. */
const ofSets = ["m3u8", "ts", "m4s"];

const sameAs: Readonly<Record<string, string>> = { jpeg: "jpg", m4v: "mp4", text: "txt", md: "txt", log: "txt" };

/** So many bytes are looked at. */
export const typeHead = 1_048_576;

interface Called {
  /** As a media type. */
  readonly declared: string;
  readonly name: string;
}

/** The kinds to try, by what it is called. */
function kindsFor({ types }: Pick<Purpose, "types">, { declared, name }: Called, more: readonly string[]): Kind[] {
  const ending = endingOf(name);
  const isTaken = (word: string) => types.includes(word) || (types.includes(anyKind.word) && !ofSets.includes(word));
  return [kindOf(declared)?.word ?? "", sameAs[ending] ?? ending, ...more]
    .filter((word) => word !== anyKind.word && isTaken(word))
    .flatMap((word) => kinds.get(word) ?? []);
}

/** The type of a file whose content is not known yet. @throws FileTypeRefused where the purpose takes nothing of that name */
export function typeByName(purpose: Pick<Purpose, "types">, called: Called): string {
  return (kindsFor(purpose, called, [])[0] ?? other(purpose, called)).types[0];
}

/** @param head its first bytes @throws FileTypeRefused where the purpose does not take it */
export function typeByContent(purpose: Pick<Purpose, "types">, head: Uint8Array, called: Called): string {
  const found = kindsFor(purpose, called, sure).find((kind) => whyNot(kind, head) === undefined);
  return (found ?? other(purpose, called)).types[0];
}

/** Bytes that nothing shows, where the purpose takes them. */
function other({ types }: Pick<Purpose, "types">, { declared }: Called): Kind {
  if (!types.includes(anyKind.word)) throw new FileTypeRefused(declared, typesOf(types));
  return anyKind;
}

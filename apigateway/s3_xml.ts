/** The few documents of S3 that are read and written here. They are flat, so that patterns are enough. */
import type { StoredPart } from "../shared/file_store.ts";

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

const decoded = (text: string) =>
  text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, (_, hex, decimal, name: string) =>
    name === undefined
      ? String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16))
      : (entities[name.toLowerCase()] as string),
  );

const encoded = (text: string) =>
  text.replace(/[<>&"']/g, (sign) => `&${Object.keys(entities).find((name) => entities[name] === sign)};`);

/** The text of the first element of this name; undefined where there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text === undefined ? undefined : decoded(text);
}

/** The code of the first error that a document names: the document itself, or one of many keys. */
export const errorIn = (xml: string): string | undefined =>
  /<Error>[\s\S]*?<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(xml)?.[1];

/** Whether a document of this root is there to its end. */
export const isWhole = (xml: string, root: string): boolean => new RegExp(`</${root}>|<${root}[^>]*/>`).test(xml);

/** A page of ListParts, and where the next one begins. */
export function partsIn(xml: string): { parts: StoredPart[]; next: string | undefined } {
  const parts = [...xml.matchAll(/<Part>([\s\S]*?)<\/Part>/g)].map(([, part = ""]) => ({
    part: Number(textOf(part, "PartNumber")),
    bytes: Number(textOf(part, "Size")),
    etag: textOf(part, "ETag") ?? "",
  }));
  return { parts, next: textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextPartNumberMarker") : undefined };
}

const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export const partsToJoin = (parts: readonly StoredPart[]): string =>
  `<CompleteMultipartUpload ${namespace}>${parts
    .map(({ part, etag }) => `<Part><PartNumber>${part}</PartNumber><ETag>${encoded(etag)}</ETag></Part>`)
    .join("")}</CompleteMultipartUpload>`;

/** `Quiet`: the answer names only what could not be removed. */
export const keysToDelete = (keys: readonly string[]): string =>
  `<Delete ${namespace}>${keys.map((key) => `<Object><Key>${encoded(key)}</Key></Object>`).join("")}<Quiet>true</Quiet></Delete>`;

/** Contents of files, each the smallest that is one of its type. */

const box = (type: string, ...parts: readonly string[]): Buffer => {
  const body = Buffer.from(parts.join(""), "latin1");
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
};

/** The header of the first file in an archive, whose content is empty. */
export function zipOf(name: string): Buffer {
  const header = Buffer.alloc(30);
  header.write("PK\x03\x04", 0, "latin1");
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name)]);
}

/** A picture of so many pixels, by its header. */
export function pngOf(width: number, height: number): Buffer {
  const bytes = Buffer.from(contents["image/png"]);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

/** Of a transport stream. */
const packet = Buffer.concat([Buffer.from("4740001000", "hex"), Buffer.alloc(183)]);
const ofCompound = Buffer.from("d0cf11e0a1b11ae1", "hex");
const mp4 = (brand: string) => box("ftyp", brand, "\0\0\0\0", brand);
const ofOffice = "application/vnd.openxmlformats-officedocument";

export const contents = {
  "image/png": Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
  "image/jpeg": Buffer.from(
    `ffd8ffe000104a46494600010100000100010000ffdb004300${"01".repeat(64)}ffc0000b080001000101011100ffd9`,
    "hex",
  ),
  "image/webp": Buffer.from("UklGRhYAAABXRUJQVlA4TAkAAAAvAAAAEIiIiP4H", "base64"),
  "image/gif": Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64"),
  "video/mp4": mp4("isom"),
  "video/quicktime": mp4("qt  "),
  "video/webm": Buffer.from("\x1a\x45\xdf\xa3\x8f\x42\x82\x84webm", "latin1"),
  "video/mp2t": Buffer.concat([packet, packet]),
  "video/iso.segment": box("styp", "msdh"),
  "application/vnd.apple.mpegurl": Buffer.from("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:6,\nseg1.ts\n#EXT-X-ENDLIST\n"),
  "text/vtt": Buffer.from("WEBVTT\n\n00:01.000 --> 00:04.000\n你好\n"),
  "audio/mpeg": Buffer.from("ID3\x03\x00\x00\x00\x00\x00\x00", "latin1"),
  "audio/mp4": mp4("M4A "),
  "audio/aac": Buffer.from("fff15080001ffc", "hex"),
  "audio/ogg": Buffer.from("OggS\x00\x02", "latin1"),
  "audio/wav": Buffer.from("RIFF\x24\x00\x00\x00WAVEfmt ", "latin1"),
  "audio/flac": Buffer.from("fLaC\x00\x00\x00\x22", "latin1"),
  "application/pdf": Buffer.from("%PDF-1.7\n%%EOF\n"),
  "application/zip": zipOf("readme.txt"),
  "text/plain": Buffer.from("你好\n"),
  "text/csv": Buffer.from("dish,price\nbun,500\n"),
  [`${ofOffice}.wordprocessingml.document`]: zipOf("word/document.xml"),
  [`${ofOffice}.spreadsheetml.sheet`]: zipOf("xl/workbook.xml"),
  [`${ofOffice}.presentationml.presentation`]: zipOf("ppt/presentation.xml"),
  "application/msword": ofCompound,
  "application/vnd.ms-excel": ofCompound,
  "application/vnd.ms-powerpoint": ofCompound,
} as const;

export type Known = keyof typeof contents;

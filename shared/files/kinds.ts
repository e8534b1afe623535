/**
 * The kinds of files that a purpose may allow, by their words in files.yml: media types, how they are shown, and how their first
 * bytes are known. No SVG and no HTML: both are documents that can run scripts.
 *
 * Sources: the WHATWG's "MIME Sniffing", 6; ISO 14496-12, 4.2 and 4.3; RFC 8794, 11.2 (EBML); WebVTT 4.1; RFC 8216, 4.1 (HLS);
 * ISO 13818-1, 2.4.3; ISO 32000-1, 7.5.2 (PDF); PKWARE's APPNOTE, 4.3.7; ISO 29500-2, 10 (OOXML); MS-CFB 2.2.
 */
import { ascii, at, big, little } from "./bytes.ts";
import { gifSize, jpegSize, type Pixels, pngSize, webpSize } from "./pixels.ts";

export interface Kind {
  readonly word: string;
  /** The first is the one that files are served with; the others are names that systems use for it. */
  readonly types: readonly [string, ...string[]];
  /** `inline`: a browser shows it in a page. `playlist`: a player's text, answered whole. */
  readonly shown: "inline" | "playlist" | "download";
  /** Whether a file that begins so is one. */
  readonly is: (head: Uint8Array) => boolean;
  /** Of pictures. */
  readonly size?: (head: Uint8Array) => Pixels | undefined;
}

/** How many bytes are read to know a kind: a picture's size may stand behind a photo's thumbnail and its colour profile. */
export const headBytes = ({ size, shown }: Kind) => (size !== undefined || shown === "playlist" ? 1_048_576 : 4_096);

/** Bytes of a playlist. */
export const maxPlaylistBytes = 1_048_576;

const picture = (word: string, types: Kind["types"], size: NonNullable<Kind["size"]>): Kind => ({
  word,
  types,
  shown: "inline",
  size,
  is: (head) => size(head) !== undefined,
});

/** Brands of pictures and of QuickTime, in the same boxes. */
const notVideo = new Set(["qt  ", "heic", "heix", "hevc", "mif1", "msf1", "avif", "avis", "jp2 ", "jpx "]);

/** The type of the first box, when it has room for its own header. */
const boxOf = (head: Uint8Array) => (big(head, 0, 4) >= 8 || big(head, 0, 4) === 1 ? ascii(head, 4, 4) : "");

const isMp4 = (head: Uint8Array) => boxOf(head) === "ftyp" && !notVideo.has(ascii(head, 8, 4));
const isQuickTime = (head: Uint8Array) =>
  boxOf(head) === "ftyp"
    ? ascii(head, 8, 4) === "qt  "
    : ["moov", "mdat", "wide", "free", "skip"].includes(boxOf(head));
const isSegment = (head: Uint8Array) => ["styp", "moof", "sidx", "ftyp", "emsg", "prft"].includes(boxOf(head));
const isWebm = (head: Uint8Array) => at(head, 0, "\x1a\x45\xdf\xa3") && ascii(head, 0, 64).includes("webm");
/** Packets of 188 bytes, each of which begins with G. */
const isTransport = (head: Uint8Array) =>
  head.length >= 188 && [0, 188, 376].every((offset) => offset >= head.length || head[offset] === 0x47);

/** The header of a frame: layer, bit rate and sampling rate are none of the forbidden values. */
const isMpegFrame = (head: Uint8Array) => {
  const [first = 0, second = 0, third = 0] = head;
  return (
    first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) !== 0 && third >> 4 !== 15 && (third & 0x0c) !== 0x0c
  );
};
const isAdts = (head: Uint8Array) => head.length >= 7 && head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0;
const isRiff = (head: Uint8Array, form: string) => at(head, 0, "RIFF") && at(head, 8, form);

const isZip = (head: Uint8Array) => at(head, 0, "PK\x03\x04") || at(head, 0, "PK\x05\x06");
/** Writers of these formats begin with one of these parts. */
const isOffice = (folder: string) => (head: Uint8Array) =>
  at(head, 0, "PK\x03\x04") &&
  ["[Content_Types].xml", "_rels/", "docProps/", "customXml/", `${folder}/`, "mimetype"].some((part) =>
    ascii(head, 30, Math.min(60, little(head, 26, 2))).startsWith(part),
  );
const isCompound = (head: Uint8Array) => at(head, 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");

const mark = (head: Uint8Array) => (at(head, 0, "\xef\xbb\xbf") ? 3 : 0);
const beginsWithLine = (head: Uint8Array, line: string) => {
  const from = mark(head);
  return at(head, from, line) && [undefined, 0x09, 0x0a, 0x0d, 0x20].includes(head[from + line.length]);
};
/** Text in any encoding but UTF-16 and UTF-32: no sign that is none of a text. */
const isText = (head: Uint8Array) =>
  !head.some((byte) => byte < 0x20 && ![0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte));
const isPlain = (head: Uint8Array) => isText(head) && !at(head, 0, "%PDF-");

const kind = (word: string, types: Kind["types"], shown: Kind["shown"], is: Kind["is"]): Kind => ({
  word,
  types,
  shown,
  is,
});

const list: readonly Kind[] = [
  picture("jpg", ["image/jpeg", "image/jpg", "image/pjpeg"], jpegSize),
  picture("png", ["image/png", "image/x-png"], pngSize),
  picture("webp", ["image/webp"], webpSize),
  picture("gif", ["image/gif"], gifSize),
  kind("mp4", ["video/mp4", "video/x-m4v"], "inline", isMp4),
  kind("mov", ["video/quicktime"], "inline", isQuickTime),
  kind("webm", ["video/webm", "audio/webm"], "inline", isWebm),
  kind("ts", ["video/mp2t"], "inline", isTransport),
  kind("m4s", ["video/iso.segment"], "inline", isSegment),
  kind(
    "m3u8",
    ["application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"],
    "playlist",
    (head) => isText(head) && beginsWithLine(head, "#EXTM3U"),
  ),
  kind("vtt", ["text/vtt"], "inline", (head) => isText(head) && beginsWithLine(head, "WEBVTT")),
  kind("mp3", ["audio/mpeg", "audio/mp3"], "inline", (head) => at(head, 0, "ID3") || isMpegFrame(head)),
  kind("m4a", ["audio/mp4", "audio/x-m4a", "audio/m4a"], "inline", isMp4),
  kind("aac", ["audio/aac", "audio/x-aac", "audio/aacp"], "inline", isAdts),
  kind("ogg", ["audio/ogg", "application/ogg", "video/ogg"], "inline", (head) => at(head, 0, "OggS")),
  kind("wav", ["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"], "inline", (head) => isRiff(head, "WAVE")),
  kind("flac", ["audio/flac", "audio/x-flac"], "inline", (head) => at(head, 0, "fLaC")),
  kind("pdf", ["application/pdf"], "download", (head) => at(head, 0, "%PDF-")),
  kind("zip", ["application/zip", "application/x-zip-compressed"], "download", isZip),
  kind("txt", ["text/plain"], "download", isPlain),
  kind("csv", ["text/csv", "application/csv"], "download", isPlain),
  kind(
    "docx",
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    "download",
    isOffice("word"),
  ),
  kind("xlsx", ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"], "download", isOffice("xl")),
  kind(
    "pptx",
    ["application/vnd.openxmlformats-officedocument.presentationml.presentation"],
    "download",
    isOffice("ppt"),
  ),
  kind("doc", ["application/msword"], "download", isCompound),
  kind("xls", ["application/vnd.ms-excel"], "download", isCompound),
  kind("ppt", ["application/vnd.ms-powerpoint"], "download", isCompound),
];

/** What no other kind is: bytes that nothing shows. */
export const anyKind: Kind = kind("any", ["application/octet-stream"], "download", () => true);

/** `any` comes last, and is every type. */
export const kinds: ReadonlyMap<string, Kind> = new Map([...list, anyKind].map((one) => [one.word, one]));

const byType: ReadonlyMap<string, Kind> = new Map(
  [...kinds.values()].flatMap((one) => one.types.map((type) => [type, one] as const)),
);

/** The kind of a declared media type, whose parameters do not matter. */
export const kindOf = (type: string): Kind | undefined => byType.get(type.split(";")[0]?.trim().toLowerCase() ?? "");

/** The types by which files of these words are served. */
export const typesOf = (words: readonly string[]): string[] => words.flatMap((word) => kinds.get(word)?.types[0] ?? []);

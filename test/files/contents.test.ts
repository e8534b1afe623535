/** The content of files: each known type by its first bytes, and what pretends to be one. */
import { typeOfContent, whyNot } from "../../shared/files/content.ts";
import { anyKind, headBytes, type Kind, kindOf, kinds } from "../../shared/files/kinds.ts";
import { maxPixels } from "../../shared/files/pixels.ts";
import { contents, pngOf, zipOf } from "../functions/_contents.ts";

const kind = (type: string) => kindOf(type) as Kind;
const texts = ["text/plain", "text/csv"];
const compounds = ["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"];
const ooxml = Object.keys(contents).filter((type) => type.includes("openxml"));

/** Types whose first bytes are those of another one too. */
const alsoIs: Readonly<Record<string, readonly string[]>> = {
  "video/mp4": ["audio/mp4", "video/iso.segment"],
  "audio/mp4": ["video/mp4", "video/iso.segment"],
  "video/quicktime": ["video/iso.segment"],
  "application/vnd.apple.mpegurl": texts,
  "text/vtt": texts,
  "text/plain": texts,
  "text/csv": texts,
  ...Object.fromEntries(ooxml.map((type) => [type, ["application/zip"]])),
  ...Object.fromEntries(compounds.map((type) => [type, compounds])),
};

it("every kind that a purpose may name has a content here", () => {
  const types = [...kinds.values()].filter((one) => one !== anyKind).map(({ types: [first] }) => first);
  expect(Object.keys(contents).toSorted()).toEqual(types.toSorted());
});

it.each(Object.entries(contents))(
  "a content of %s is that, and no other type but those that begin alike",
  (type, body) => {
    const fitting = Object.keys(contents).filter((other) => whyNot(kind(other), body) === undefined);
    expect(fitting.toSorted()).toEqual([...new Set([type, ...(alsoIs[type] ?? [])])].toSorted());
  },
);

it.each(Object.entries(contents))("a content of %s that ends too early is none", (type, body) => {
  if (texts.includes(type)) return;
  expect(whyNot(kind(type), body.subarray(0, 2))).toBe(`the content is not ${type}`);
  expect(whyNot(kind(type), new Uint8Array())).toBe(`the content is not ${type}`);
});

it("a type's parameters, capitals and other names do not matter", () => {
  expect(kindOf("text/plain; charset=utf-8")?.word).toBe("txt");
  expect(kindOf("IMAGE/JPG")?.word).toBe("jpg");
  expect(kindOf("application/x-mpegURL")?.word).toBe("m3u8");
});

it.each([
  "image/svg+xml",
  "text/html",
  "application/xhtml+xml",
  "application/javascript",
  "text/xml",
  "image/heic",
  "",
])("%s is no known type", (type) => expect(kindOf(type)).toBeUndefined());

const html = "<html><script>alert(1)</script></html>";
const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';

describe("what pretends to be a picture is refused:", () => {
  it.each([
    ["a page that begins as a GIF", "image/gif", Buffer.from(`GIF89a${html}`)],
    ["a script that begins as a GIF", "image/gif", Buffer.from("GIF89a/*\0\0\0\0*/=1;alert(1)")],
    ["a GIF without anything behind its screen", "image/gif", contents["image/gif"].subarray(0, 19)],
    ["a PNG's signature before a page", "image/png", Buffer.from(`\x89PNG\r\n\x1a\n${html}`, "latin1")],
    ["a JPEG's mark before a page", "image/jpeg", Buffer.from(`\xff\xd8\xff${html}`, "latin1")],
    ["a JPEG whose segments lead nowhere", "image/jpeg", Buffer.from("ffd8ffe0000200ffd9", "hex")],
    ["a JPEG of segments without a frame", "image/jpeg", Buffer.from(`ffd8${"ffe00004aaaa".repeat(9)}ffd9`, "hex")],
    ["a RIFF that is sound", "image/webp", contents["audio/wav"]],
    ["a WebP without a picture", "image/webp", Buffer.from("RIFF\x10\0\0\0WEBPXXXX\0\0\0\0", "latin1")],
    ["an archive", "image/jpeg", zipOf("a.jpg")],
    ["an SVG", "image/png", Buffer.from(svg)],
    ["a page", "image/jpeg", Buffer.from(html)],
    ["a PDF", "image/gif", contents["application/pdf"]],
  ])("%s", (_, type, body) => expect(whyNot(kind(type), body)).toBe(`the content is not ${type}`));
});

describe("what pretends to be something else is refused:", () => {
  it.each([
    ["a page as a playlist", "application/vnd.apple.mpegurl", Buffer.from(html)],
    ["a playlist's word that goes on", "application/vnd.apple.mpegurl", Buffer.from("#EXTM3UX")],
    ["a playlist with a NUL", "application/vnd.apple.mpegurl", Buffer.from("#EXTM3U\n\0")],
    ["a picture as a film", "video/mp4", contents["image/png"]],
    ["an HEIC as a film", "video/mp4", Buffer.from("\0\0\0\x18ftypheic\0\0\0\0heic", "latin1")],
    ["a Matroska as a WebM", "video/webm", Buffer.from("\x1a\x45\xdf\xa3\x8f\x42\x82\x88matroska", "latin1")],
    ["one packet out of step", "video/mp2t", Buffer.concat([Buffer.alloc(188, 0x47), Buffer.alloc(188, 0x46)])],
    ["a program as a text", "text/plain", Buffer.from("\x7fELF\x02\x01\x01\0\0\0", "latin1")],
    ["a PDF as a text", "text/plain", contents["application/pdf"]],
    ["a plain archive as a document", ooxml[0] as string, zipOf("evil.html")],
    ["a document of the other program's", ooxml[0] as string, zipOf("xl/workbook.xml")],
  ])("%s", (_, type, body) => expect(whyNot(kind(type), body)).toBe(`the content is not ${type}`));
});

describe("a picture that declares too many pixels is refused:", () => {
  const gif = Buffer.from(contents["image/gif"]);
  gif.writeUInt16LE(65_535, 6);
  gif.writeUInt16LE(65_535, 8);
  const jpeg = Buffer.from(contents["image/jpeg"]);
  const frame = jpeg.indexOf(Buffer.from("ffc0", "hex"));
  jpeg.writeUInt16BE(60_000, frame + 5);
  jpeg.writeUInt16BE(60_000, frame + 7);
  const webp = Buffer.from(`RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0${"\xff".repeat(6)}`, "latin1");
  const lossless = Buffer.from("RIFF\x16\0\0\0WEBPVP8L\x09\0\0\0\x2f\xff\xff\xff\x0f", "latin1");
  const lossy = Buffer.from("RIFF\x16\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f", "latin1");

  it.each([
    ["image/png", pngOf(100_000, 100_000)],
    ["image/png", pngOf(maxPixels + 1, 1)],
    ["image/gif", gif],
    ["image/jpeg", jpeg],
    ["image/webp", webp],
    ["image/webp", lossless],
    ["image/webp", lossy],
  ])("%s", (type, body) => expect(whyNot(kind(type), body)).toContain("at most 50 million"));

  it("not at the limit, and not without a width", () => {
    expect(whyNot(kind("image/png"), pngOf(10_000, 5_000))).toBeUndefined();
    expect(whyNot(kind("image/png"), pngOf(0, 5))).toBe("the picture has no width or no height");
  });

  it("also behind a thumbnail and a profile of a photo", () => {
    const segment = Buffer.concat([Buffer.from("ffe1ffff", "hex"), Buffer.alloc(65_533)]);
    const photo = Buffer.concat([jpeg.subarray(0, 2), ...Array(10).fill(segment), jpeg.subarray(2)]);
    expect(photo.length).toBeLessThan(headBytes(kind("image/jpeg")));
    expect(whyNot(kind("image/jpeg"), photo)).toContain("60000 × 60000");
  });
});

it("a content whose sender does not know its type gets it, but for texts", () => {
  for (const type of [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "video/mp4",
    "audio/mpeg",
    "application/pdf",
  ])
    expect(typeOfContent(contents[type as keyof typeof contents])).toBe(type);
  for (const body of [Buffer.from(html), Buffer.from(svg), contents["text/plain"], Buffer.from([1, 2, 3])])
    expect(typeOfContent(body)).toBe("application/octet-stream");
});

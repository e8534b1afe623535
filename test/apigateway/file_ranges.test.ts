/** Ranges and conditions of requests for bytes, against Buffer.subarray and the rules of RFC 9110. */
import fc from "fast-check";
import { conditionOf, isSameRange, rangeOf } from "../../apigateway/local/files/ranges.ts";
import { newPath, someBytes } from "../contracts/file_store.ts";
import { type FilesServer, openFiles } from "./_files.ts";

const MB = 1_024 * 1_024;

describe("a range", () => {
  it("is the same as a slice of the bytes", () => {
    const number = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.option(number), fc.option(number), (size, first, last) => {
        const bytes = Buffer.from(Array.from({ length: size }, (_, nth) => nth));
        const range = rangeOf(`bytes=${first ?? ""}-${last ?? ""}`, size);
        const malformed = (first === null && last === null) || (first !== null && last !== null && last < first);
        const slice =
          first === null
            ? last === 0
              ? Buffer.alloc(0)
              : bytes.subarray(-(last ?? 0))
            : bytes.subarray(first, last === null ? size : last + 1);
        if (malformed) expect(range).toBe("all");
        else if (slice.length === 0) expect(range).toBe("none");
        else if (typeof range === "string") throw new Error(`${range} for ${first}-${last} of ${size}`);
        else expect(bytes.subarray(range.from, range.to + 1)).toEqual(slice);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    "bytes=",
    "bytes",
    "bytes=-",
    "bytes=1",
    "bytes=1-2,4-5",
    "bytes=1-2,",
    "bytes=+1-2",
    "bytes=1.5-2",
    "bytes=0x1-2",
    "items=1-2",
    "bytes=1--2",
    "bytes=--1",
    `bytes=${"9".repeat(16)}-`,
    "",
  ])("of %p is no range: the whole object is sent", (text) => {
    expect(rangeOf(text, 100)).toBe("all");
  });

  it("is read whatever its case and blanks", () => {
    expect(rangeOf("Bytes= 1-2 ", 100)).toEqual({ from: 1, to: 2 });
    expect(rangeOf(undefined, 100)).toBe("all");
  });
});

describe("a condition", () => {
  const modifiedMs = Date.UTC(2026, 10, 30, 5, 0, 0, 700);
  const own = { etag: '"x1"', modifiedMs };
  const same = new Date(modifiedMs).toUTCString();
  const earlier = new Date(modifiedMs - 1_000).toUTCString();
  it.each([
    [{}, undefined],
    [{ "if-match": '"x1"' }, undefined],
    [{ "if-match": '"a", "x1"' }, undefined],
    [{ "if-match": "*" }, undefined],
    [{ "if-match": 'W/"x1"' }, 412],
    [{ "if-match": '"a"' }, 412],
    [{ "if-match": '"x1"', "if-unmodified-since": earlier }, undefined],
    [{ "if-unmodified-since": same }, undefined],
    [{ "if-unmodified-since": earlier }, 412],
    [{ "if-unmodified-since": "yesterday" }, undefined],
    [{ "if-none-match": '"x1"' }, 304],
    [{ "if-none-match": 'W/"x1"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"a"', "if-modified-since": same }, undefined],
    [{ "if-modified-since": same }, 304],
    [{ "if-modified-since": earlier }, undefined],
    [{ "if-modified-since": "yesterday" }, undefined],
    [{ "if-match": '"a"', "if-none-match": '"x1"' }, 412],
  ])("of %p is answered with %p", (headers, status) => {
    expect(conditionOf(headers as never, own)).toBe(status);
  });

  it.each([
    [undefined, true],
    ['"x1"', true],
    ['"a"', false],
    ['W/"x1"', false],
    [same, true],
    [earlier, false],
    ["yesterday", false],
  ])("If-Range: %p keeps the range: %p", (header, keeps) => {
    expect(isSameRange(header, own)).toBe(keeps);
  });
});

describe("over HTTP", () => {
  let files: FilesServer;
  const bytes = someBytes(10 * MB + 77, 4);
  const object = (path: string) => ({ path, type: "video/mp4", bytes: bytes.length });
  const paths: string[] = [];
  beforeAll(async () => {
    files = await openFiles();
    const whole = newPath();
    await files.store.write(object(whole), bytes);
    const joined = newPath();
    const upload = await files.store.beginParts(object(joined));
    for (const [nth, from] of [0, 5 * MB, 10 * MB].entries()) {
      const body = bytes.subarray(from, from + 5 * MB);
      const { url } = await files.store.part(object(joined), upload, nth + 1, body.length);
      expect((await fetch(files.base + url, { method: "PUT", body: body as never })).status).toBe(200);
    }
    await files.store.joinParts(joined, upload, await files.store.parts(joined, upload));
    paths.push(whole, joined);
  });
  afterAll(() => files.close());

  it.each(["one file", "parts"])("any range of an object of %s is the same as a slice of it", async (of) => {
    const { url } = await files.store.fetch({
      path: paths[of === "parts" ? 1 : 0] as string,
      type: "a/b",
      disposition: "inline",
    });
    // Beside the seams of the parts, and anywhere.
    const near = fc
      .constantFrom(0, 5 * MB, 10 * MB, bytes.length)
      .chain((at) => fc.integer({ min: -3, max: 3 }).map((by) => at + by));
    const place = fc.oneof(near, fc.integer({ min: 0, max: bytes.length })).filter((at) => at >= 0);
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const answer = await fetch(files.base + url, { headers: { range: `bytes=${from}-${to}` } });
        const body = Buffer.from(await answer.arrayBuffer());
        const slice = bytes.subarray(from, to + 1);
        if (answer.status !== (slice.length === 0 ? 416 : 206) || !body.equals(slice))
          throw new Error(`${answer.status} and ${body.length} bytes for ${from}-${to}`);
      }),
      { numRuns: 40 },
    );
  });
});

/** Parsing of a client's frame into a message, as docs/protocol.md says. */
import fc from "fast-check";
import { AppError, FrameTooLarge, InvalidInput, Malformed } from "../../shared/errors.ts";
import { numberIn, parseFrame } from "../../shared/frame.ts";
import { maxFrameBytes, maxStreamsPerMessage } from "../../shared/protocol.ts";

const parse = (message: unknown) => parseFrame(JSON.stringify(message));
const stream = "shop:noodle-house";
const resume = (ask: object) => ({ type: "resume", n: 1, streams: [{ stream, ...ask }] });
const publish = (more: object) => ({ type: "publish", n: 1, stream: "room:r1", id: "m1", data: {}, ...more });
const many = (count: number) => Array.from({ length: count }, (_, at) => `room:${at}`);

describe("a client message", () => {
  it.each([
    ["from now on", resume({})],
    ["from the beginning", resume({ seq: 0 })],
    ["from the beginning of an epoch", resume({ epoch: "e1", seq: 0, tag: "" })],
    ["from a position", resume({ epoch: "e1", seq: 7, tag: "t-_1" })],
    ["with a grant", resume({ grant: "a.b" })],
    ["a check", { type: "check", n: 2, streams: [{ stream, epoch: "e1", seq: 7, tag: "t1" }] }],
    [
      "a check of all that are due",
      { type: "check", n: 2, streams: many(maxStreamsPerMessage).map((name) => ({ stream: name })) },
    ],
    ["a leave", { type: "leave", n: 3, streams: ["menu:a", "board:a", "user:a"] }],
    ["a publish", publish({})],
    ["a publish after another", publish({ id: "m2", after: "m1", data: { text: "好" } })],
    ["a publish of a text", publish({ data: "好" })],
    ["an auth", { type: "auth", n: 4, token: "obg_x" }],
    ["the highest number", { type: "auth", n: Number.MAX_SAFE_INTEGER, token: "" }],
  ])("may be %s", (_, message) => {
    expect(parse(message)).toEqual(message);
  });

  it.each([
    ["nothing", null],
    ["a list", [resume({})]],
    ["a text", "resume"],
    ["of no type", { n: 1, streams: [{ stream }] }],
    ["of an unknown type", { type: "subscribe", n: 1, streams: [{ stream }] }],
    ["of a server's type", { type: "event", n: 1, stream }],
    ["without a number", { type: "resume", streams: [{ stream }] }],
    ["with the number 0", { ...resume({}), n: 0 }],
    ["with half a number", { ...resume({}), n: 1.5 }],
    ["with a number as a text", { ...resume({}), n: "1" }],
    ["with a number too high to count on", { ...resume({}), n: Number.MAX_SAFE_INTEGER + 1 }],
    ["with an unknown field", { ...resume({}), more: true }],
    ["with an unknown field of a stream", resume({ after: 3 })],
    ["of no stream", { type: "resume", n: 1, streams: [] }],
    [
      "of too many streams",
      { type: "resume", n: 1, streams: many(maxStreamsPerMessage + 1).map((name) => ({ stream: name })) },
    ],
    ["that leaves no stream", { type: "leave", n: 1, streams: [] }],
    ["that leaves too many", { type: "leave", n: 1, streams: many(maxStreamsPerMessage + 1) }],
    ["with a number but no epoch", resume({ seq: 7, tag: "t1" })],
    ["with a number but no tag", resume({ epoch: "e1", seq: 7 })],
    ["with an epoch alone", resume({ epoch: "e1" })],
    ["with a tag alone", resume({ tag: "t1" })],
    ["with a number below 0", resume({ epoch: "e1", seq: -1, tag: "t1" })],
    ["with null for a number", resume({ epoch: "e1", seq: null, tag: "t1" })],
    ["with a long tag", resume({ epoch: "e1", seq: 7, tag: "t".repeat(17) })],
    ["with a quote in the tag", resume({ epoch: "e1", seq: 7, tag: "t'" })],
    ["with a long grant", resume({ grant: "g".repeat(1_025) })],
    ["of an unknown kind of stream", { type: "leave", n: 1, streams: ["table:5"] }],
    ["of a stream in capitals", { type: "leave", n: 1, streams: ["SHOP:a"] }],
    ["of a stream with a space", { type: "leave", n: 1, streams: ["shop:a "] }],
    ["of a stream with a line break", { type: "leave", n: 1, streams: ["shop:a\n"] }],
    ["with a long id", publish({ id: "m".repeat(65) })],
    ["with an empty id", publish({ id: "" })],
    ["with a list for an id", publish({ id: ["m1"] })],
    ["with a long token", { type: "auth", n: 1, token: "t".repeat(201) }],
    ["with a list for a stream", { type: "resume", n: 1, streams: [[]] }],
    ["with an object for streams", { type: "resume", n: 1, streams: { stream } }],
  ])("is refused %s", (_, message) => {
    expect(() => parse(message)).toThrow(InvalidInput);
  });

  it("is refused when it is not JSON, or too deep", () => {
    for (const text of ["", "resume", '{"type":"resume"', "\u0000"]) expect(() => parseFrame(text)).toThrow(Malformed);
    const data = JSON.parse(`${"[".repeat(32)}${"]".repeat(32)}`);
    expect(() => parse(publish({ data }))).toThrow(Malformed);
  });

  it("is measured in bytes of UTF-8, to the last one", () => {
    const frame = (length: number) => {
      const bare = Buffer.byteLength(JSON.stringify(publish({ data: "" })));
      const left = length - bare;
      return JSON.stringify(publish({ data: "面".repeat(Math.floor(left / 3)) + "a".repeat(left % 3) }));
    };
    expect(Buffer.byteLength(frame(maxFrameBytes))).toBe(maxFrameBytes);
    expect(parseFrame(frame(maxFrameBytes)).type).toBe("publish");
    expect(() => parseFrame(frame(maxFrameBytes + 1))).toThrow(FrameTooLarge);
    expect(frame(maxFrameBytes + 1).length).toBeLessThan(maxFrameBytes / 2);
  });

  it("is taken or refused with one of our errors, whatever comes", () => {
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom("resume", "check", stream, "e1", 0, 1, 7, []));
    const almost = fc.record(
      {
        type: fc.oneof(fc.constantFrom("resume", "check", "leave", "publish", "auth"), part),
        n: part,
        streams: fc.oneof(
          part,
          fc.array(fc.record({ stream: part, epoch: part, seq: part, tag: part }, { requiredKeys: [] })),
        ),
        stream: part,
        id: part,
        token: part,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          almost.map((one) => JSON.stringify(one)),
          fc.string(),
          fc.json(),
        ),
        (text) => {
          try {
            const { n } = parseFrame(text);
            expect(numberIn(text)).toBe(n);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
          }
        },
      ),
    );
  });

  it("is refused without repeating what it held", () => {
    try {
      parse({ type: "auth", n: 1, token: `not-to-be-printed${"x".repeat(200)}` });
      throw new Error("it was taken");
    } catch (error) {
      expect((error as Error).message).not.toContain("not-to-be-printed");
    }
  });
});

describe("the number of a refused message", () => {
  it.each([
    ['{"type":"nonsense","n":7}', 7],
    ['{"n":0}', undefined],
    ['{"n":"7"}', undefined],
    ['{"n":1e400}', undefined],
    ["{}", undefined],
    ["null", undefined],
    ["[7]", undefined],
    ["7", undefined],
    ["nonsense", undefined],
    ["", undefined],
  ])("in %s is %p", (text, n) => {
    expect(numberIn(text)).toBe(n);
  });
});

/** Frames of a tunnel's socket: what a client may say, and what it can be sent. */
import { FrameTooLarge, Malformed } from "../../shared/errors.ts";
import { isContent, messageFrame, parseClientFrame, timeoutFrame } from "../../shared/wafer/frames.ts";

describe("a frame of a tunnel's client", () => {
  it.each([
    ["ping", { kind: "ping" }],
    ["ping:now", { kind: "ping" }],
    ["close", { kind: "close" }],
    [`message:{"type":"a","content":"b:c"}`, { kind: "message", content: `{"type":"a","content":"b:c"}` }],
    ["message:", { kind: "message", content: "" }],
    ["message:two\nlines", { kind: "message", content: "two\nlines" }],
    ["message:你好", { kind: "message", content: "你好" }],
  ])("%j is understood", (text, frame) => {
    expect(parseClientFrame(text)).toEqual(frame);
  });

  it.each(["", "message", "pong", "timeout:1", " ping", "pinging", "Message:{}", "message:\0", "message:\ud800", ":"])(
    "%j is none",
    (text) => {
      expect(() => parseClientFrame(text)).toThrow(Malformed);
    },
  );

  it("has at most 32 KB", () => {
    expect(parseClientFrame(`message:${"x".repeat(32 * 1_024 - 8)}`)).toMatchObject({ kind: "message" });
    expect(() => parseClientFrame(`message:${"x".repeat(32 * 1_024 - 7)}`)).toThrow(FrameTooLarge);
    expect(() => parseClientFrame(`message:${"你".repeat(11 * 1_024)}`)).toThrow(FrameTooLarge);
  });
});

describe("a message for a business server", () => {
  it("fits into what its framework reads, escapes included", () => {
    expect(parseClientFrame(`message:${'"'.repeat(11_000)}`)).toMatchObject({ kind: "message" });
    expect(() => parseClientFrame(`message:${'"'.repeat(32_000)}`)).toThrow(FrameTooLarge);
    expect(() => parseClientFrame(`message:${"\u0001".repeat(32_000)}`)).toThrow(FrameTooLarge);
  });
});

describe("what a client can be sent", () => {
  it.each([`{"type":"speak","content":{"word":"你好"}}`, `{"type":"x"}`, "{}"])(
    "is an object as text: %s",
    (content) => {
      expect(isContent(content)).toBe(true);
      expect(messageFrame(content)).toBe(`message:${content}`);
    },
  );

  it.each([
    ["no JSON", "hello"],
    ["null, at which clients throw", "null"],
    ["a number", "1"],
    ["a list", "[]"],
    ["nothing", ""],
    ["no text", undefined],
    ["a NUL that no database takes", `{"a":"\0"}`],
    ["half a surrogate pair", `{"a":"\ud800"}`],
    ["more than a frame", `{"a":"${"x".repeat(32 * 1_024)}"}`],
  ])("is not %s", (_, content) => {
    expect(isContent(content)).toBe(false);
  });

  it("sets the heartbeat in seconds", () => {
    expect(timeoutFrame(5)).toBe("timeout:5");
  });
});

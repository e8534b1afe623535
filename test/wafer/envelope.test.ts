/** The envelope's arithmetic, held against the vectors that the SDKs themselves gave. */
import { InvalidInput } from "../../shared/errors.ts";
import {
  callbackBody,
  isSignedWith,
  parseEnvelope,
  signatureOf,
  signedAnswer,
  tcIdOf,
} from "../../shared/wafer/envelope.ts";

const key = "test-key";

describe("the envelope of the channel service", () => {
  it.each([
    [
      `{"receiveUrl":"https://biz.example.com/tunnel","protocolType":"wss"}`,
      "609b8f10c65aea26c8b2927a89f3c76f948d3d7e",
    ],
    [`{"tunnelId":"tunnel1","type":"connect"}`, "ce8b4563d0d920e6b7b889c1d78364554f72cf8b"],
    [
      `{"tunnelId":"tunnel1","type":"message","content":"{\\"type\\":\\"speak\\",\\"content\\":{\\"word\\":\\"你好\\"}}"}`,
      "4caba1d5aa47454f7e38dfdecaa6526b421fcd37",
    ],
    [`[{"tunnelIds":["t1","t2"],"type":"close"}]`, "4b44f85b4b4a941b1131c8dc05f101058941738b"],
  ])("signs %s as the SDKs do", (data, signature) => {
    expect(signatureOf(data, key)).toBe(signature);
    const envelope = parseEnvelope({ data, tcId: tcIdOf("biz.example.com"), signature });
    expect(isSignedWith(envelope, key)).toBe(true);
    expect(isSignedWith(envelope, "another key")).toBe(false);
  });

  it("knows a business server by the MD5 of its host as it is written", () => {
    expect(tcIdOf("biz.example.com")).toBe("271f357a0eca8123fbf80993f30cfcef");
    expect(tcIdOf("BIZ.example.com")).not.toBe(tcIdOf("biz.example.com"));
  });

  it("is the same whether its text came with escapes or without", () => {
    const plain = JSON.parse(`{"data":"{\\"a\\":\\"/你\\"}"}`).data;
    const escaped = JSON.parse(`{"data":"{\\"a\\":\\"\\/\\u4f60\\"}"}`).data;
    expect(signatureOf(escaped, key)).toBe(signatureOf(plain, key));
  });

  it("takes members that it does not know, and null for what is absent", () => {
    const tcId = tcIdOf("biz.example.com");
    const signature = signatureOf("{}", key);
    expect(parseEnvelope({ data: "{}", tcId, tcKey: null, dataEncode: null, signature, more: 1 })).toMatchObject({
      tcId,
    });
  });

  it.each([
    ["data that is no text", { data: {} }],
    ["half a surrogate pair", { data: "\ud800" }],
    ["no signature", { signature: undefined }],
    ["a signature in capitals", { signature: "A".repeat(40) }],
    ["a tcId that is no MD5", { tcId: "biz.example.com" }],
    ["another encoding of data", { dataEncode: "xml" }],
    ["an empty key", { tcKey: "" }],
    ["a key longer than any", { tcKey: "k".repeat(257) }],
  ])("is refused with %s", (_, wrong) => {
    const right = { data: "{}", tcId: tcIdOf("biz.example.com"), signature: signatureOf("{}", key) };
    expect(() => parseEnvelope({ ...right, ...wrong })).toThrow(InvalidInput);
  });

  it("answers with text or with an object, and signs the text of both", () => {
    const text = signedAnswer({ invalidTunnelIds: ["a"] }, key, "text");
    const object = signedAnswer({ invalidTunnelIds: ["a"] }, key, "object");
    expect(text).toEqual({ ...object, data: `{"invalidTunnelIds":["a"]}` });
    expect(object.data).toEqual({ invalidTunnelIds: ["a"] });
    expect(object.signature).toBe(signatureOf(`{"invalidTunnelIds":["a"]}`, key));
  });

  it("carries a callback as text, marked and signed", () => {
    const body = JSON.parse(callbackBody({ tunnelId: "tunnel1", type: "connect" }, key));
    expect(body).toEqual({
      data: `{"tunnelId":"tunnel1","type":"connect"}`,
      dataEncode: "json",
      signature: "ce8b4563d0d920e6b7b889c1d78364554f72cf8b",
    });
  });
});

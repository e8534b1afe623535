/** The tests' own verifier of signatures, and what signs here, against the examples that AWS publishes; and against AWS's own client. */
import { createHash } from "node:crypto";
import { CreateMultipartUploadCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { presign, type S3Bucket } from "../../apigateway/s3_bucket.ts";
import { signPolicy } from "../../apigateway/s3_form.ts";
import { startS3 } from "../_s3.ts";
import { type Form, verifyPolicy } from "../_s3_form.ts";
import { Refusal, type Verifier, verifySignature } from "../_sigv4.ts";

const accessKeyId = "AKIAIOSFODNN7EXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const at = (now: number, region = "us-east-1"): Verifier => ({
  region,
  now: () => now,
  credentialsOf: (id) => (id === accessKeyId ? { secretAccessKey } : undefined),
});

const may24 = Date.UTC(2013, 4, 24);
const host = "examplebucket.s3.amazonaws.com";
const welcome = Buffer.from("Welcome to Amazon S3.");

const code = (work: () => unknown): string => {
  try {
    work();
    return "taken";
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

/** Amazon S3 API Reference, "Examples: Signature Calculations" (sig-v4-header-based-auth). */
const inHeaders = [
  {
    what: "GET Object",
    method: "GET",
    url: "/test.txt",
    more: { range: "bytes=0-9" },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    what: "PUT Object",
    method: "PUT",
    url: "/test%24file.text",
    body: welcome,
    more: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    what: "GET Bucket Lifecycle",
    method: "GET",
    url: "/?lifecycle",
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    what: "List Objects",
    method: "GET",
    url: "/?max-keys=2&prefix=J",
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
].map(({ what, method, url, more = {}, body = Buffer.alloc(0), signature }) => {
  const hash = createHash("sha256").update(body).digest("hex");
  const headers = { host, "x-amz-content-sha256": hash, "x-amz-date": "20130524T000000Z", ...more };
  const signed = Object.keys(headers).toSorted().join(";");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signed},Signature=${signature}`;
  return { what, method, url, headers: { ...headers, authorization }, body };
});

describe("a signature in the headers, as AWS's examples have it", () => {
  it.each(inHeaders)("is right: $what", ({ what: _, ...received }) => {
    expect(verifySignature(received, at(may24))).toBe(accessKeyId);
  });

  it.each<[string, (one: (typeof inHeaders)[number]) => object, number, string]>([
    ["another path", () => ({ url: "/other.txt" }), may24, "SignatureDoesNotMatch"],
    ["another method", () => ({ method: "DELETE" }), may24, "SignatureDoesNotMatch"],
    ["another host", ({ headers }) => ({ headers: { ...headers, host: `x${host}` } }), may24, "SignatureDoesNotMatch"],
    ["a further query", () => ({ url: "/test.txt?acl" }), may24, "SignatureDoesNotMatch"],
    ["another body", () => ({ body: welcome }), may24, "XAmzContentSHA256Mismatch"],
    [
      "a header of Amazon's that is not signed",
      ({ headers }) => ({ headers: { ...headers, "x-amz-acl": "public-read" } }),
      may24,
      "AccessDenied",
    ],
    ["a clock 16 minutes away", () => ({}), may24 + 16 * 60_000, "RequestTimeTooSkewed"],
    ["no signature", ({ headers: { authorization: __, ...headers } }) => ({ headers }), may24, "AccessDenied"],
  ])("is refused for %s", (_, change, now, refused) => {
    const one = inHeaders[0] as (typeof inHeaders)[number];
    expect(code(() => verifySignature({ ...one, ...change(one) }, at(now)))).toBe(refused);
  });

  it("is refused for another region and an unknown key", () => {
    const one = inHeaders[0] as (typeof inHeaders)[number];
    expect(code(() => verifySignature(one, at(may24, "eu-west-1")))).toBe("AuthorizationHeaderMalformed");
    expect(code(() => verifySignature(one, { ...at(may24), credentialsOf: () => undefined }))).toBe(
      "InvalidAccessKeyId",
    );
  });
});

describe("a signature in the address, as AWS's example has it", () => {
  const signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${accessKeyId}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}`;
  const received = { method: "GET", url: `/test.txt?${query}`, headers: { host }, body: Buffer.alloc(0) };

  it("is right, and is what this project's own signing makes", async () => {
    expect(verifySignature(received, at(may24))).toBe(accessKeyId);
    const bucket: S3Bucket = {
      ...{ region: "us-east-1", accessKeyId, secretAccessKey, bucket: "examplebucket", endpoint: `https://${host}` },
      now: () => may24,
    };
    const { url, expiresAt } = await presign(bucket, { method: "GET", path: "test.txt", lastsMs: 86_400_000 });
    expect(new URL(url).searchParams.get("X-Amz-Signature")).toBe(signature);
    expect(expiresAt).toBe(may24 + 86_400_000);
  });

  it.each<[string, (text: string) => string, number, string]>([
    ["a longer life", (text) => text.replace("=86400", "=86401"), may24, "SignatureDoesNotMatch"],
    ["more than a week", (text) => text.replace("=86400", "=604801"), may24, "AuthorizationQueryParametersError"],
    ["its end", (text) => text, may24 + 86_401_000, "AccessDenied"],
    ["a time before its beginning", (text) => text, may24 - 16 * 60_000, "AccessDenied"],
    ["another path", (text) => text.replace("test.txt", "test.tx"), may24, "SignatureDoesNotMatch"],
  ])("is refused for %s", (_, change, now, refused) => {
    expect(code(() => verifySignature({ ...received, url: change(received.url) }, at(now)))).toBe(refused);
  });
});

describe("a form's policy, as AWS's example has it (sigv4-post-example)", () => {
  const policy =
    "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
  const signature = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";
  const fields = {
    key: "user/user1/photo.jpg",
    acl: "public-read",
    success_action_redirect: "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
    "content-type": "image/jpeg",
    "x-amz-meta-uuid": "14365123651274",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-credential": `${accessKeyId}/20151229/us-east-1/s3/aws4_request`,
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-date": "20151229T000000Z",
    "x-amz-meta-tag": "",
    policy,
    "x-amz-signature": signature,
  };
  const form = (changed: Record<string, string> = {}): Form => ({
    fields: new Map(Object.entries({ ...fields, ...changed })),
    file: Buffer.from("x"),
    fileName: "photo.jpg",
  });
  const before = Date.UTC(2015, 11, 29);
  const verify = (one: Form, now = before, bucket = "sigv4examplebucket") =>
    code(() => verifyPolicy(one, bucket, at(now)));

  it("is right, and is what this project's own signing makes", () => {
    expect(verify(form())).toBe("taken");
    expect(signPolicy({ secretAccessKey, region: "us-east-1" }, "20151229", policy)).toBe(signature);
  });

  it("is refused with another field, bucket, time, signature, or a field that it does not name", () => {
    expect(verify(form({ key: "user/user2/photo.jpg" }))).toBe("AccessDenied");
    expect(verify(form({ acl: "private" }))).toBe("AccessDenied");
    expect(verify(form({ "content-type": "text/html" }))).toBe("AccessDenied");
    expect(verify(form(), before, "another")).toBe("AccessDenied");
    expect(verify(form(), Date.UTC(2015, 11, 30, 12))).toBe("AccessDenied");
    expect(verify(form({ "x-amz-signature": signature.replace("8", "9") }))).toBe("SignatureDoesNotMatch");
    expect(verify(form({ "x-amz-meta-more": "1" }))).toBe("AccessDenied");
  });
});

describe("AWS's own client", () => {
  it("is taken by the stand-in, in what it writes and what it reads, and refused with another secret", async () => {
    const s3 = await startS3();
    const clientWith = (secret: string) =>
      new S3Client({
        region: s3.region,
        endpoint: s3.url,
        forcePathStyle: true,
        credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: secret },
        requestChecksumCalculation: "WHEN_REQUIRED",
        responseChecksumValidation: "WHEN_REQUIRED",
        maxAttempts: 1,
      });
    const client = clientWith(s3.secretAccessKey);
    const object = { Bucket: s3.bucket, Key: "files/a name+with (signs)*'é.txt" };
    await client.send(new PutObjectCommand({ ...object, Body: "hello", ContentType: "text/plain", IfNoneMatch: "*" }));
    const again = client.send(new PutObjectCommand({ ...object, Body: "other", IfNoneMatch: "*" }));
    await expect(again).rejects.toMatchObject({ name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } });
    const ranged = new GetObjectCommand({
      ...object,
      Range: "bytes=1-2",
      ResponseContentDisposition: 'attachment; filename="a (1).txt"',
    });
    const got = await client.send(ranged);
    expect([await got.Body?.transformToString(), got.ContentRange, got.ContentType]).toEqual([
      "el",
      "bytes 1-2/5",
      "text/plain",
    ]);
    await expect(client.send(new GetObjectCommand({ ...object, Key: "none" }))).rejects.toMatchObject({
      name: "NoSuchKey",
    });
    expect((await client.send(new CreateMultipartUploadCommand(object))).UploadId).toMatch(/./);
    const stranger = clientWith("another secret");
    await expect(stranger.send(new GetObjectCommand(object))).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
    for (const one of [client, stranger]) one.destroy();
    await s3.close();
  });
});

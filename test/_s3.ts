/**
 * A stand-in for S3 that verifies every signature, with S3's status codes and documents: whole objects, forms, parts, ranges, conditional
 * writes, CORS, lifecycle, rights, and faults that a test switches on. Addresses with the bucket as host or as the path's first part.
 * Source: Amazon S3 API Reference.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readForm, verifyPolicy } from "./_s3_form.ts";
import { queryOf, type Received, Refusal, type Verifier, verifySignature } from "./_sigv4.ts";

export interface StoredBytes {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly at: number;
}

interface Upload {
  readonly key: string;
  readonly type: string;
  readonly at: number;
  readonly parts: Map<number, StoredBytes>;
}

export interface CorsRule {
  readonly AllowedMethods: readonly string[];
  readonly AllowedOrigins: readonly string[];
  readonly AllowedHeaders?: readonly string[];
  readonly ExposedHeaders?: readonly string[];
  readonly MaxAge?: number;
}

export interface LifecycleRule {
  readonly Status: string;
  readonly Prefix?: string;
  readonly ExpirationInDays?: number;
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
}

export interface Fault {
  /** `PUT object`, `HEAD object`, `PUT part`, `POST uploads`, `POST upload`, `GET parts`, `POST delete`, `PUT copy`, `POST form`. */
  readonly on: string;
  /**
   * A status and code; `late`: 200 with an error in the body; `unfinished`: 200 with half a document; `cut`: the connection ends
   * without an answer; `lost`: it is done, and the connection ends without an answer; `silent`: no answer for ever.
   */
  readonly is: readonly [status: number, code: string] | "late" | "unfinished" | "cut" | "lost" | "silent";
  /** Default: once. */
  readonly times?: number;
}

export interface S3Options extends Partial<Verifier> {
  readonly bucket?: string;
  readonly cors?: readonly CorsRule[];
  /** Whether a key may do this. Without `s3:ListBucket` what is missing is refused with 403. */
  readonly allows?: (accessKeyId: string, action: string, key: string) => boolean;
  /** As small as a test needs it. */
  readonly minPartBytes?: number;
  readonly partsPerPage?: number;
  /** An older store: copies or joins without conditions, or an own answer to them. */
  readonly conditions?: "all" | "put" | "none";
}

export interface S3 {
  readonly url: string;
  /** With the bucket in the path. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly objects: Map<string, StoredBytes>;
  readonly uploads: Map<string, Upload>;
  /** `PUT object files/x: 200`, oldest first. */
  readonly asked: string[];
  readonly faults: Fault[];
  /** Runs the rules of a bucket as they would run at this time. */
  expire(rules: readonly LifecycleRule[], now: number): void;
  close(): Promise<void>;
}

const dayMs = 24 * 3_600_000;
const maxPutBytes = 5 * 1_024 ** 3;
/** What S3 asks of every part but the last. */
const minPart = 5 * 1_024 * 1_024;
const xml = (root: string, inner: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`;
const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const errorXml = (code: string, message: string, key = "") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped(message)}</Message><Key>${escaped(key)}</Key></Error>`;
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes);

interface Asked extends Received {
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly caller: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string | number>;
  readonly body?: string | Buffer;
}

export async function startS3(options: S3Options = {}): Promise<S3> {
  const { bucket = "files-of-a-shop", region = "eu-central-1", cors = [], minPartBytes = minPart } = options;
  const { partsPerPage = 1_000, conditions = "all", allows = () => true } = options;
  const [accessKeyId, secretAccessKey] = ["AKIDOFTHESTANDIN", "a/secret+of=the-stand-in"];
  const verifier: Verifier = {
    region,
    now: options.now ?? Date.now,
    credentialsOf: options.credentialsOf ?? ((id) => (id === accessKeyId ? { secretAccessKey } : undefined)),
  };
  const objects = new Map<string, StoredBytes>();
  const uploads = new Map<string, Upload>();
  const asked: string[] = [];
  const faults: Fault[] = [];

  function may({ caller, key }: Pick<Asked, "caller" | "key">, action: string, on = key): void {
    if (!allows(caller, action, on)) throw new Refusal(403, "AccessDenied", `${action} ${on}`);
  }

  function existing(one: Asked, key = one.key): StoredBytes {
    const found = objects.get(key);
    if (found !== undefined) return found;
    // Whether something exists is what a list would tell.
    if (!allows(one.caller, "s3:ListBucket", "")) throw new Refusal(403, "AccessDenied");
    throw new Refusal(404, "NoSuchKey");
  }

  function mayCreate({ headers, key }: Asked, what: "put" | "other"): void {
    const condition = headers["if-none-match"];
    if (condition === undefined || conditions === "none") return;
    if (condition !== "*" || (what === "other" && conditions === "put")) throw new Refusal(501, "NotImplemented");
    if (objects.has(key)) throw new Refusal(412, "PreconditionFailed");
  }

  function store(key: string, bytes: Buffer, type: string, etag = `"${md5(bytes).digest("hex")}"`): StoredBytes {
    const stored = { bytes, type, etag, at: verifier.now() };
    objects.set(key, stored);
    return stored;
  }

  function uploadOf({ query, key }: Asked): Upload {
    const found = uploads.get(query.get("uploadId") ?? "");
    if (found?.key !== key) throw new Refusal(404, "NoSuchUpload");
    return found;
  }

  const operations: Record<string, (one: Asked) => Answer> = {
    "PUT object"(one) {
      may(one, "s3:PutObject");
      if (one.headers["content-length"] === undefined) throw new Refusal(411, "MissingContentLength");
      if (one.body.length > maxPutBytes) throw new Refusal(400, "EntityTooLarge");
      checkMd5(one);
      mayCreate(one, "put");
      const { etag } = store(one.key, one.body, one.headers["content-type"] ?? "binary/octet-stream");
      return { status: 200, headers: { etag } };
    },
    "PUT copy"(one) {
      const source = decodeURIComponent(one.headers["x-amz-copy-source"] ?? "").replace(/^\//, "");
      if (!source.startsWith(`${bucket}/`)) throw new Refusal(404, "NoSuchBucket");
      const from = source.slice(bucket.length + 1);
      may(one, "s3:GetObject", from);
      may(one, "s3:PutObject");
      const { bytes, type } = existing(one, from);
      mayCreate(one, "other");
      const replaces = one.headers["x-amz-metadata-directive"] === "REPLACE";
      const { etag } = store(one.key, bytes, replaces ? (one.headers["content-type"] ?? "") : type);
      return { status: 200, body: xml("CopyObjectResult", `<ETag>${escaped(etag)}</ETag>`) };
    },
    "PUT part"(one) {
      may(one, "s3:PutObject");
      const part = Number(one.query.get("partNumber"));
      if (!(part >= 1 && part <= 10_000)) throw new Refusal(400, "InvalidArgument");
      const { parts } = uploadOf(one);
      const etag = `"${md5(one.body).digest("hex")}"`;
      parts.set(part, { bytes: one.body, type: "", etag, at: verifier.now() });
      return { status: 200, headers: { etag } };
    },
    "POST uploads"(one) {
      may(one, "s3:PutObject");
      const id = `${randomBytes(24).toString("base64url")}.${randomBytes(6).toString("base64url")}--`;
      const type = one.headers["content-type"] ?? "binary/octet-stream";
      uploads.set(id, { key: one.key, type, at: verifier.now(), parts: new Map() });
      const inner = `<Bucket>${bucket}</Bucket><Key>${escaped(one.key)}</Key><UploadId>${id}</UploadId>`;
      return { status: 200, body: xml("InitiateMultipartUploadResult", inner) };
    },
    "POST upload"(one) {
      may(one, "s3:PutObject");
      const { parts, type } = uploadOf(one);
      const named = [...one.body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)].map(
        ([, part, etag = ""]) => ({ part: Number(part), etag: etag.replaceAll("&quot;", '"') }),
      );
      if (named.length === 0) throw new Refusal(400, "MalformedXML");
      if (named.some(({ part }, at) => at > 0 && part <= (named[at - 1]?.part ?? 0)))
        throw new Refusal(400, "InvalidPartOrder");
      const joined = named.map(({ part, etag }, at) => {
        const found = parts.get(part);
        if (found?.etag.replaceAll('"', "") !== etag.replaceAll('"', "")) throw new Refusal(400, "InvalidPart");
        if (at < named.length - 1 && found.bytes.length < minPartBytes) throw new Refusal(400, "EntityTooSmall");
        return found.bytes;
      });
      mayCreate(one, "other");
      const digests = Buffer.concat(joined.map((bytes) => md5(bytes).digest()));
      const etag = `"${md5(digests).digest("hex")}-${joined.length}"`;
      store(one.key, Buffer.concat(joined), type, etag);
      uploads.delete(one.query.get("uploadId") ?? "");
      return { status: 200, body: xml("CompleteMultipartUploadResult", `<ETag>${escaped(etag)}</ETag>`) };
    },
    "GET parts"(one) {
      may(one, "s3:ListMultipartUploadParts");
      const after = Number(one.query.get("part-number-marker") ?? 0);
      const left = [...uploadOf(one).parts].sort(([a], [b]) => a - b).filter(([part]) => part > after);
      const page = left.slice(0, Math.min(partsPerPage, Number(one.query.get("max-parts") ?? 1_000)));
      const list = page.map(
        ([part, { bytes, etag }]) =>
          `<Part><PartNumber>${part}</PartNumber><LastModified>2026-11-21T00:00:00.000Z</LastModified><ETag>${escaped(etag)}</ETag><Size>${bytes.length}</Size></Part>`,
      );
      const next = `<NextPartNumberMarker>${page.at(-1)?.[0] ?? 0}</NextPartNumberMarker>`;
      const inner = `${next}<IsTruncated>${left.length > page.length}</IsTruncated>${list.join("")}`;
      return { status: 200, body: xml("ListPartsResult", inner) };
    },
    "DELETE upload"(one) {
      may(one, "s3:AbortMultipartUpload");
      uploadOf(one);
      uploads.delete(one.query.get("uploadId") ?? "");
      return { status: 204 };
    },
    "DELETE object"(one) {
      may(one, "s3:DeleteObject");
      objects.delete(one.key);
      return { status: 204 };
    },
    "POST delete"(one) {
      if (one.headers["content-md5"] === undefined && one.headers["x-amz-checksum-crc32"] === undefined)
        throw new Refusal(400, "InvalidRequest", "Missing required header for this request: Content-MD5");
      checkMd5(one);
      const keys = [...one.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
      if (keys.length === 0 || keys.length > 1_000) throw new Refusal(400, "MalformedXML");
      const refused = keys.filter((key) => !allows(one.caller, "s3:DeleteObject", key));
      for (const key of keys) if (!refused.includes(key)) objects.delete(key);
      const errors = refused.map((key) => `<Error><Key>${escaped(key)}</Key><Code>AccessDenied</Code></Error>`);
      return { status: 200, body: xml("DeleteResult", errors.join("")) };
    },
    "GET object": (one) => get(one),
    "HEAD object": (one) => get(one),
  };

  function get(one: Asked): Answer {
    may(one, "s3:GetObject");
    const { bytes, type, etag, at } = existing(one);
    const changed = [...one.query].filter(([name]) => name.startsWith("response-"));
    if (changed.some(([, value]) => /[^\x20-\xff]/.test(value)))
      throw new Refusal(400, "InvalidArgument", "not ISO-8859-1");
    const headers: Record<string, string | number> = {
      etag,
      "accept-ranges": "bytes",
      "last-modified": new Date(at).toUTCString(),
      "content-type": type,
      ...Object.fromEntries(changed.map(([name, value]) => [name.slice("response-".length), value])),
    };
    const condition = conditionOf(one.headers, etag, at);
    if (condition === "changed") throw new Refusal(412, "PreconditionFailed");
    if (condition === "same") return { status: 304, headers };
    const asked = condition === "whole" ? undefined : rangeIn(one.headers.range, bytes.length);
    if (asked === undefined)
      return { status: 200, headers: { ...headers, "content-length": bytes.length }, body: bytes };
    const [begin, end] = asked;
    const part = bytes.subarray(begin, end + 1);
    const contentRange = `bytes ${begin}-${end}/${bytes.length}`;
    return {
      status: 206,
      headers: { ...headers, "content-range": contentRange, "content-length": part.length },
      body: part,
    };
  }

  function postForm(received: Received & { body: Buffer }): Answer {
    const form = readForm(received.headers["content-type"] ?? "", received.body);
    if (form.file === undefined) throw new Refusal(400, "InvalidArgument", "POST requires exactly one file upload");
    const caller = verifyPolicy(form, bucket, verifier);
    const key = (form.fields.get("key") ?? "").replace(/\$\{filename\}/, form.fileName);
    may({ caller, key }, "s3:PutObject");
    const { etag } = store(key, form.file, form.fields.get("content-type") ?? "binary/octet-stream");
    const status = Number(form.fields.get("success_action_status") ?? 204);
    return { status: [200, 201, 204].includes(status) ? status : 204, headers: { etag } };
  }

  /** The bucket's name is the host's first label, or the path's first part. @throws Refusal */
  function keyOf({ url, headers }: Received): string {
    const path = decodeURIComponent((url.split("?")[0] ?? "").slice(1));
    if ((headers.host ?? "").startsWith(`${bucket}.`)) return path;
    if (path !== bucket && !path.startsWith(`${bucket}/`)) throw new Refusal(404, "NoSuchBucket");
    return path.slice(bucket.length + 1);
  }

  async function answerTo(
    received: Received & { body: Buffer },
    note: (what: string) => void,
  ): Promise<Answer | Fault["is"]> {
    const key = keyOf(received);
    const query = new Map(queryOf(received.url));
    const what = operationOf(received, key, query);
    note(`${what} ${key}`);
    const at = faults.findIndex(({ on }) => on === what);
    const fault = faults[at];
    if (fault !== undefined) {
      faults.splice(at, 1, ...((fault.times ?? 1) > 1 ? [{ ...fault, times: (fault.times ?? 1) - 1 }] : []));
      if (fault.is !== "lost") return fault.is;
    }
    if (what === "OPTIONS") return preflight(received.headers, cors);
    const run = (): Answer => {
      if (what === "POST form") return postForm(received);
      const one = { ...received, key, query, caller: verifySignature(received, verifier) };
      const operation = operations[what];
      if (operation === undefined) throw new Refusal(405, "MethodNotAllowed");
      return operation(one);
    };
    const answer = run();
    return fault === undefined ? answer : "lost";
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(",")]),
    );
    const received = { method: request.method ?? "", url: request.url ?? "", headers, body: Buffer.concat(chunks) };
    let line = `${received.method} ?`;
    const answer = await answerTo(received, (what) => {
      line = what;
    }).catch((error: unknown): Answer => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, "InternalError", String(error));
      return { status: refusal.status, body: errorXml(refusal.code, refusal.message) };
    });
    if (typeof answer === "string" || Array.isArray(answer)) {
      asked.push(`${line}: ${typeof answer === "string" ? answer : answer[1]}`);
      return misbehave(response, answer as Fault["is"]);
    }
    const { status, body = "", headers: own = {} } = answer as Answer;
    asked.push(`${line}: ${status}`);
    const isXml = typeof body === "string" && body !== "";
    response.writeHead(status, {
      "x-amz-request-id": randomBytes(8).toString("hex"),
      ...(isXml ? { "content-type": "application/xml" } : {}),
      ...(received.method === "HEAD" ? {} : { "content-length": Buffer.byteLength(body) }),
      ...corsHeaders(headers, received.method, cors),
      ...own,
    });
    // A HEAD that is refused has no body to say why.
    response.end(received.method === "HEAD" ? undefined : body);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{
      url,
      endpoint: `${url}/${bucket}`,
      bucket,
      region,
      accessKeyId,
      secretAccessKey,
      objects,
      uploads,
      asked,
      faults,
    },
    expire(rules, now) {
      for (const rule of rules.filter(({ Status }) => Status === "Enabled")) applyRule(rule, now, objects, uploads);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function operationOf({ method, headers }: Received, key: string, query: ReadonlyMap<string, string>): string {
  if (method === "OPTIONS") return "OPTIONS";
  if (method === "POST" && query.has("delete")) return "POST delete";
  if (method === "POST" && query.has("uploads")) return "POST uploads";
  if (method === "POST" && query.has("uploadId")) return "POST upload";
  if (method === "POST" && key === "") return "POST form";
  if (method === "GET" && query.has("uploadId")) return "GET parts";
  if (method === "DELETE" && query.has("uploadId")) return "DELETE upload";
  if (method === "PUT" && query.has("uploadId")) return "PUT part";
  if (method === "PUT" && headers["x-amz-copy-source"] !== undefined) return "PUT copy";
  return `${method} ${key === "" ? "bucket" : "object"}`;
}

function checkMd5({ headers, body }: Asked): void {
  const given = headers["content-md5"];
  if (given !== undefined && given !== md5(body).digest("base64")) throw new Refusal(400, "BadDigest");
}

function misbehave(response: ServerResponse, is: Fault["is"]): void {
  if (is === "silent") return;
  if (is === "cut" || is === "lost") return void response.destroy();
  // S3 sends blanks while it works, and says at the end how it went.
  if (is === "late")
    return void response
      .writeHead(200, { "content-type": "application/xml" })
      .end(`  ${errorXml("InternalError", "again")}`);
  if (is === "unfinished") return void response.writeHead(200).end("<?xml version=");
  const [status, code] = is;
  response
    .writeHead(status, { "content-type": "application/xml" })
    .end(errorXml(code, "Please reduce your request rate."));
}

/** RFC 9110's order of conditions; `whole`: the range is of another version. */
function conditionOf(headers: Received["headers"], etag: string, at: number): "changed" | "same" | "whole" | undefined {
  const list = (name: string) => headers[name]?.split(/,\s*/);
  // Dates have whole seconds.
  const since = (name: string) => Math.floor(at / 1_000) * 1_000 > Date.parse(headers[name] ?? "");
  const [match, noneMatch] = [list("if-match"), list("if-none-match")];
  if (match !== undefined ? !match.includes(etag) : since("if-unmodified-since")) return "changed";
  if (noneMatch !== undefined) {
    if (noneMatch.includes(etag)) return "same";
  } else if (headers["if-modified-since"] !== undefined && !since("if-modified-since")) return "same";
  const range = headers["if-range"];
  if (range === undefined) return undefined;
  return (range.startsWith('"') ? range === etag : !since("if-range")) ? undefined : "whole";
}

/** First and last byte; undefined for what is no range, which is ignored. @throws Refusal */
function rangeIn(range: string | undefined, length: number): [number, number] | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (first + last === "" || (first !== "" && last !== "" && Number(last) < Number(first))) return undefined;
  const begin = first === "" ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === "" || last === "" ? length - 1 : Math.min(Number(last), length - 1);
  if (begin > end) throw new Refusal(416, "InvalidRange");
  return [begin, end];
}

// --- Rules of the bucket -------------------------------------------------------------------------------------------

const fits = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
    "i",
  ).test(text);

function ruleFor(rules: readonly CorsRule[], origin: string, method: string, headers: readonly string[]) {
  return rules.find(
    ({ AllowedOrigins, AllowedMethods, AllowedHeaders = [] }) =>
      AllowedOrigins.some((one) => fits(one, origin)) &&
      AllowedMethods.includes(method) &&
      headers.every((name) => AllowedHeaders.some((one) => fits(one, name))),
  );
}

function preflight(headers: Received["headers"], rules: readonly CorsRule[]): Answer {
  const method = headers["access-control-request-method"] ?? "";
  const wanted = (headers["access-control-request-headers"] ?? "").split(/\s*,\s*/).filter(Boolean);
  const rule = ruleFor(rules, headers.origin ?? "", method, wanted);
  if (rule === undefined) throw new Refusal(403, "AccessForbidden");
  return {
    status: 200,
    headers: {
      ...allowed(rule, headers.origin ?? ""),
      "access-control-allow-methods": rule.AllowedMethods.join(", "),
      "access-control-allow-headers": wanted.join(", "),
      ...(rule.MaxAge === undefined ? {} : { "access-control-max-age": rule.MaxAge }),
    },
  };
}

function corsHeaders({ origin }: Received["headers"], method: string, rules: readonly CorsRule[]) {
  if (origin === undefined || method === "OPTIONS") return {};
  const rule = ruleFor(rules, origin, method, []);
  return rule === undefined ? {} : allowed(rule, origin);
}

const allowed = ({ AllowedOrigins, ExposedHeaders = [] }: CorsRule, origin: string) => ({
  "access-control-allow-origin": AllowedOrigins.includes("*") ? "*" : origin,
  ...(ExposedHeaders.length === 0 ? {} : { "access-control-expose-headers": ExposedHeaders.join(", ") }),
  vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
});

function applyRule(rule: LifecycleRule, now: number, objects: Map<string, StoredBytes>, uploads: Map<string, Upload>) {
  const { Prefix = "", ExpirationInDays: days, AbortIncompleteMultipartUpload: abort } = rule;
  const over = (at: number, after: number) => now - at > after * dayMs;
  if (days !== undefined)
    for (const [key, { at }] of objects) if (key.startsWith(Prefix) && over(at, days)) objects.delete(key);
  if (abort !== undefined)
    for (const [id, { key, at }] of uploads)
      if (key.startsWith(Prefix) && over(at, abort.DaysAfterInitiation)) uploads.delete(id);
}

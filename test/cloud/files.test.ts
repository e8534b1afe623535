/**
 * The zip of the function of files, run as Lambda runs it, with the rights of its role on the bucket of the template: clients put, post and
 * fetch at the addresses that it signs, by an S3 that verifies signatures and has the bucket's own rules.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { caller } from "../../functions/index.ts";
import { buildFunction } from "../../scripts/build.ts";
import { servers } from "../_engines.ts";
import { type House, openHouse, type Person, testKeys } from "../_house.ts";
import { type CorsRule, type LifecycleRule, type S3, startS3 } from "../_s3.ts";
import { hasBrowser, openBrowser } from "../web/_browser.ts";
import { laidOut } from "./_house.ts";
import { type Lambda, startLambda } from "./_lambda.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const dayMs = 24 * 3_600_000;
const engine = servers.find(({ name }) => name === "postgres");
const run = engine?.here ? it : it.skip;

const { Resources } = parse(readFileSync(join(__dirname, "../../apigateway/resources.yml"), "utf8"));
const { CorsConfiguration, LifecycleConfiguration } = Resources.PictureBucket.Properties;
/** The parameter `origins` and the page's own address, which stands there in CloudFormation's words. */
const shopOrigin = ["https://shop.example.com"];
const cors: CorsRule[] = CorsConfiguration.CorsRules.map((rule: CorsRule, nth: number) =>
  nth === 0 ? { ...rule, AllowedOrigins: shopOrigin } : rule,
);
const lifecycle: LifecycleRule[] = LifecycleConfiguration.Rules;

/** What the role of the template allows. */
const allowed = (laidOut("url").get("files")?.actions ?? []).flatMap(({ action, on }) =>
  [JSON.parse(on)].flat().map((one: { "Fn::Sub"?: string }) => ({ action, on: one["Fn::Sub"] ?? "" })),
);
const allows = (_: string, action: string, key: string) =>
  allowed.some(
    (one) => one.action === action && (one.on === "" || key.startsWith(one.on.replace(/^.*?\}\/|\*$/g, ""))),
  );

let s3: S3;
let lambda: Lambda;
let house: House;
let guest: Person;

beforeAll(async () => {
  if (!engine?.here) return;
  const credentials = { secretAccessKey: "a-secret/for+tests", sessionToken: "the-role's-token/+=" };
  s3 = await startS3({
    region: "us-east-1",
    cors,
    allows,
    credentialsOf: (id) => (id === "ASIAFILES" ? credentials : undefined),
  });
  const db = await engine.open();
  const { zip } = await buildFunction("files", { engine: "postgres", network: false });
  lambda = startLambda({
    zips: new Map([["files", zip]]),
    environmentOf: () => ({
      ...testKeys,
      DATABASE_URL: db.url,
      DATABASE_TLS: "off",
      FILES_BUCKET: s3.bucket,
      AWS_REGION: s3.region,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ACCESS_KEY_ID: "ASIAFILES",
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
    }),
  });
  house = await openHouse(engine, {
    db,
    cloud: "aws",
    call: (name, event) => (name === "files" ? lambda.invoke(name, event) : caller(house.app)(name, event)),
  });
  guest = await house.guest();
}, 120_000);

afterAll(async () => {
  if (!engine?.here) return;
  await lambda.idle();
  await house.close();
  lambda.close();
  await house.db.remove();
  await s3.close();
});

async function place(more: object = {}) {
  const body = { purpose: "picture", name: "花 (1).png", type: "image/png", bytes: png.length, ...more };
  const answer = await guest.http("POST", "/files", { body });
  expect([answer.status, answer.body.code]).toEqual([201, undefined]);
  return answer.body;
}

const put = async ({ url, headers }: { url: string; headers: Record<string, string> }, body: Uint8Array) =>
  (await fetch(url, { method: "PUT", headers, body: body as never })).status;
const complete = async (id: string) => (await guest.http("POST", `/files/${id}/complete`)).body;

/** As a browser asks before a request to another host, and whether it may then read the answer's header. */
async function preflight(
  url: string,
  method: string,
  origin: string,
  headers: string,
): Promise<[number, string | null]> {
  const asked = { origin, "access-control-request-method": method, "access-control-request-headers": headers };
  const answer = await fetch(url, { method: "OPTIONS", headers: asked });
  return [answer.status, answer.headers.get("access-control-allow-origin")];
}

run(
  "a client puts a picture into the bucket, completes it, fetches it by its lasting address and removes it",
  async () => {
    const { file, upload } = await place();
    expect((await complete(file.id)).code).toBe("FILE_NOT_STORED");
    expect(new URL(upload.url).searchParams.get("X-Amz-SignedHeaders")).toBe(
      "content-length;content-type;host;if-none-match",
    );
    expect(await put(upload, Buffer.concat([png, png]))).toBe(403);
    expect(await put(upload, png)).toBe(200);
    expect(await put(upload, png)).toBe(412);
    expect(await complete(file.id)).toMatchObject({ file: { state: "stored", bytes: png.length } });
    const { status, headers } = await house.http("GET", file.path);
    expect(status).toBe(302);
    const shown = await fetch(headers.get("location") ?? "", { headers: { range: "bytes=1-3", origin: "null" } });
    expect([shown.status, await shown.text(), shown.headers.get("access-control-allow-origin")]).toEqual([
      206,
      "PNG",
      "*",
    ]);
    expect(shown.headers.get("access-control-expose-headers")).toContain("Content-Range");
    expect((await guest.http("DELETE", `/files/${file.id}`)).status).toBe(204);
    expect((await fetch(headers.get("location") ?? "")).status).toBe(404);
  },
);

run("a client posts a form, and the function moves it", async () => {
  const { file, upload } = await place({ by: "form" });
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, String(value));
  form.append(upload.fileField, new Blob([png]), "tmp_123.png");
  expect((await fetch(upload.url, { method: "POST", body: form })).status).toBe(204);
  expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^incoming\//)]);
  expect(await complete(file.id)).toMatchObject({ file: { state: "stored" } });
  expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^files\//)]);
  await guest.http("DELETE", `/files/${file.id}`);
});

run("a client sends a large file in parts, goes on after a break, and the function joins them", async () => {
  const partBytes = 16 * 1_024 * 1_024;
  const bytes = partBytes + 7;
  const { file, upload } = await place({ purpose: "file", name: "a.zip", type: "application/zip", bytes, by: "parts" });
  expect(upload).toMatchObject({ partBytes, parts: 2 });
  const whole = Buffer.alloc(bytes);
  whole.write("PK\x03\x04", "latin1");
  const ask = async (parts: number[]) =>
    (await guest.http("POST", `/files/${file.id}/parts`, { body: { parts } })).body;
  expect(await put((await ask([1])).uploads[0], whole.subarray(0, partBytes))).toBe(200);
  const resumed = await ask([2]);
  expect(resumed.stored).toEqual([{ part: 1, bytes: partBytes }]);
  expect(await put(resumed.uploads[0], whole.subarray(partBytes))).toBe(200);
  expect(await complete(file.id)).toMatchObject({ file: { state: "stored", bytes } });
  expect(await complete(file.id)).toMatchObject({ file: { state: "stored", bytes } });
  await guest.http("DELETE", `/files/${file.id}`);
  expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
});

run("the bucket lets pages of the shop upload, pages of anybody fetch, and nobody else upload", async () => {
  const { file, upload } = await place();
  const put = (origin: string) => preflight(upload.url, "PUT", origin, "content-type,if-none-match");
  expect(await put("https://shop.example.com")).toEqual([200, "https://shop.example.com"]);
  expect(await put("https://elsewhere.example.com")).toEqual([403, null]);
  expect(await preflight(upload.url, "GET", "null", "range")).toEqual([200, "*"]);
  expect(await preflight(upload.url, "DELETE", "https://shop.example.com", "range")).toEqual([403, null]);
  await guest.http("DELETE", `/files/${file.id}`);
});

(engine?.here && hasBrowser() ? it : it.skip)(
  "a page in a browser puts, posts and fetches, across origins and redirects",
  async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ width: 800, height: 600 });
      await page.goto(`${house.url}/healthz`);
      shopOrigin.push(house.url);
      const places = [await place(), await place({ by: "form" })];
      // As text: it runs in the page, whose words this file's types do not know.
      const sent = await page.evaluate(`(async () => {
        const [{ upload: put }, { upload: form }] = ${JSON.stringify(places)};
        const bytes = Uint8Array.from(atob("${png.toString("base64")}"), (sign) => sign.charCodeAt(0));
        const one = await fetch(put.url, { method: put.method, headers: put.headers, body: bytes });
        const fields = new FormData();
        for (const [name, value] of Object.entries(form.fields)) fields.append(name, value);
        fields.append(form.fileField, new Blob([bytes]), "a.png");
        const other = await fetch(form.url, { method: "POST", body: fields });
        return [one.status, one.headers.get("etag"), other.status];
      })()`);
      expect(sent).toEqual([200, expect.stringMatching(/^"[0-9a-f]{32}"$/), 204]);
      const paths = places.map(({ file }) => file.path);
      for (const { file } of places) expect(await complete(file.id)).toMatchObject({ file: { state: "stored" } });
      const got = await page.evaluate(`Promise.all(${JSON.stringify(paths)}.map(async (path) => {
        const answer = await fetch(path, { headers: { range: "bytes=1-3" } });
        const image = new Image();
        const shown = new Promise((resolve) => { image.onload = () => resolve(image.naturalWidth); image.onerror = () => resolve(0); });
        image.src = path;
        return [answer.status, await answer.text(), answer.headers.get("content-range"), await shown];
      }))`);
      expect(got).toEqual(Array(2).fill([206, "PNG", `bytes 1-3/${png.length}`, 1]));
      for (const { file } of places) await guest.http("DELETE", `/files/${file.id}`);
    } finally {
      await browser.close();
    }
  },
  120_000,
);

run("what nobody completes goes by the bucket's own rules after a day, and nothing else does", async () => {
  const bytes = { bytes: png, type: "image/png", etag: '"x"' };
  const now = Date.now();
  for (const path of ["incoming/old", "files/old", "pictures/shop/old.png"])
    s3.objects.set(path, { ...bytes, at: now - 2 * dayMs });
  s3.objects.set("incoming/new", { ...bytes, at: now });
  s3.uploads.set("old", { key: "files/a", type: "", at: now - 2 * dayMs, parts: new Map() });
  s3.uploads.set("new", { key: "files/b", type: "", at: now, parts: new Map() });
  s3.expire(lifecycle, now);
  expect([...s3.objects.keys()]).toEqual(["files/old", "pictures/shop/old.png", "incoming/new"]);
  expect([...s3.uploads.keys()]).toEqual(["new"]);
  s3.objects.clear();
  s3.uploads.clear();
});

run("the function leaves nothing pending, loads its own file alone, and prints no signature", () => {
  expect(lambda.pending).toEqual([]);
  for (const one of lambda.environments) expect(one.loaded).toEqual(["functions/files.js"]);
  expect(lambda.lines.join("\n")).not.toMatch(/X-Amz-|a-secret/);
});

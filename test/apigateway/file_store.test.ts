/** The store of files in a folder of this machine: the contract, and what is its own. */
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { dirname } from "node:path";
import type { UploadForm } from "../../shared/file_store.ts";
import { fileStoreContract, newPath, someBytes } from "../contracts/file_store.ts";
import { type FilesServer, openFiles } from "./_files.ts";

describe("a folder as a store of files: ", () => fileStoreContract(openFiles));

let own: FilesServer;
beforeAll(async () => {
  own = await openFiles();
});
afterAll(() => own.close());

const type = "image/png";
const guard = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "cross-origin",
};

async function stored(bytes: Buffer, path = newPath()): Promise<string> {
  const { url, headers } = await own.store.put({ path, type, bytes: bytes.length });
  expect((await fetch(own.base + url, { method: "PUT", headers, body: bytes as never })).status).toBe(200);
  return path;
}
const addressOf = async (path: string) => own.base + (await own.store.fetch({ path, type, disposition: "inline" })).url;

describe("an answer of the local store", () => {
  it.each([
    [200, {}],
    [206, { range: "bytes=0-9" }],
    [304, { "if-none-match": "*" }],
    [416, { range: "bytes=999-" }],
  ])("with status %s cannot act as a page of this origin", async (status, headers) => {
    const answer = await fetch(await addressOf(await stored(someBytes(100))), { headers: headers as never });
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject(guard);
    const [, maxAge] = /^private, max-age=(\d+)$/.exec(answer.headers.get("cache-control") ?? "") ?? [];
    expect(Number(maxAge)).toBeGreaterThan(14 * 60);
    expect(Number(maxAge)).toBeLessThanOrEqual(30 * 60);
  });

  it("to HEAD has everything but the bytes", async () => {
    const answer = await fetch(await addressOf(await stored(someBytes(100))), { method: "HEAD" });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...guard,
      "content-length": "100",
      "content-type": type,
    });
  });

  it("to several ranges is the whole object, as S3 gives it", async () => {
    const answer = await fetch(await addressOf(await stored(someBytes(100))), { headers: { range: "bytes=0-1,5-6" } });
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 100]);
  });

  it("to a method that it does not take is 405", async () => {
    const answer = await fetch(await addressOf(newPath()), { method: "DELETE" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT, POST, OPTIONS"]);
  });

  it("that refuses names neither folder nor signature", async () => {
    const url = await addressOf(newPath());
    const text = await (await fetch(url)).text();
    expect(JSON.parse(text)).toEqual({
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: expect.any(String),
    });
    expect(text).not.toContain(own.folder);
    expect(own.lines).toEqual([]);
  });
});

/** As it is written: `fetch` would tidy the path up before it sends it. */
const plain = (method: string, path: string, body?: Uint8Array) =>
  new Promise<number>((resolve, reject) => {
    const sent = request(own.base, { method, path, headers: { "content-type": type } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end(body);
  });

describe("a path of the local store", () => {
  it("leads to no other file", async () => {
    const bytes = someBytes(10);
    const [put, get] = [
      (await own.store.put({ path: newPath(), type, bytes: 10 })).url,
      (await own.store.fetch({ path: await stored(bytes), type, disposition: "inline" })).url,
    ];
    const before = await own.files();
    const around = (await readdir(dirname(own.folder))).toSorted();
    for (const path of [
      "/store/../keys.json",
      "/store/files/../../../keys.json",
      "/store/%2e%2e/%2e%2e/etc/passwd",
      "/store/..%2fkeys.json",
      "/store/files/..%5c..%5ckeys.json",
      "/store//etc/passwd",
      "/store/files/.pieces",
      "/store/.pieces",
      "/store/files/",
      "/store/",
      `/store/files/${"a".repeat(22)}%00.html`,
      `/store/${"a/".repeat(9)}b`,
      `/store/files/${"a".repeat(101)}`,
    ]) {
      const query = (url: string) => url.slice(url.indexOf("?"));
      expect([path, await plain("GET", path + query(get))]).toEqual([path, 404]);
      expect([path, await plain("PUT", path + query(put), bytes)]).toEqual([path, 404]);
    }
    expect(await own.files()).toEqual(before);
    expect((await readdir(dirname(own.folder))).toSorted()).toEqual(around);
    for (const path of ["../x", "/etc/passwd", "files/../../x", ".pieces", "files//x", ""])
      await expect(own.store.find(path)).rejects.toThrow("no path of an object");
  });

  it("of another upload in parts opens nothing", async () => {
    const [one, other] = [newPath(), newPath()];
    const upload = await own.store.beginParts({ path: one, type, bytes: 10 });
    expect(await own.store.joinParts(other, upload, [])).toBe(false);
    expect(await own.store.joinParts(one, "../../objects", [])).toBe(false);
    const { url } = await own.store.part({ path: other, type, bytes: 10 }, upload, 1, 10);
    expect((await fetch(own.base + url, { method: "PUT", body: someBytes(10) as never })).status).toBe(404);
  });
});

describe("a form to the local store", () => {
  const boundary = "----WeChatUploader";
  const part = (name: string, value: string, more = "", type = "") =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n${type}\r\n${value}\r\n`;
  const end = `--${boundary}--\r\n`;

  function send(form: UploadForm, body: string, headers: Record<string, string> = {}) {
    return fetch(own.base + form.url, {
      method: "POST",
      headers: { "content-type": `multipart/form-data; boundary=${boundary}`, ...headers },
      body,
    });
  }
  const fieldsOf = (form: UploadForm) =>
    Object.entries(form.fields)
      .map(([name, value]) => part(name, value))
      .join("");

  it.each([
    ["with a type of its own", '; filename="a.html"', "Content-Type: text/html\r\n"],
    ["with a path as its name", '; filename="../../etc/passwd"', "Content-Type: image/png\r\n"],
    ["without a type", '; filename="wxfile.png"', ""],
    ["without a name", "", "Content-Type: application/octet-stream\r\n"],
    ["with a name in Chinese", '; filename="图.png"', "Content-Type: image/png\r\n"],
  ])("stores a file %s", async (_, more, own_type) => {
    const path = newPath("incoming");
    const form = await own.store.form({ path, type, bytes: 5 });
    expect((await send(form, fieldsOf(form) + part("file", "hello", more, own_type) + end)).status).toBe(204);
    expect(Buffer.from(await own.store.read(path, 10)).toString()).toBe("hello");
  });

  it.each([
    ["has its file first", (fields: string, file: string) => file + fields + end, 403],
    ["has no file", (fields: string) => fields + end, 400],
    ["has two files", (fields: string, file: string) => fields + file + file + end, 400],
    [
      "has its file in another field",
      (fields: string) => `${fields}${part("picture", "hello", '; filename="a"')}${end}`,
      400,
    ],
    [
      "has fields that were not signed",
      (fields: string, file: string) => fields + part("acl", "public") + file + end,
      403,
    ],
    ["has a field twice", (fields: string, file: string) => fields + part("bytes", "5") + file + end, 403],
    ["has hundreds of fields", (fields: string, file: string) => fields + part("x", "").repeat(300) + file + end, 400],
    ["has a huge field", (fields: string, file: string) => part("x", "x".repeat(100_000)) + fields + file + end, 400],
    ["does not end", (fields: string, file: string) => fields + file, 400],
    ["ends within its file", (fields: string, file: string) => fields + file.slice(0, -4), 400],
    ["is none", () => "hello", 400],
    ["is empty", () => end, 400],
  ])("that %s is refused and leaves nothing", async (_, body, status) => {
    const before = await own.files();
    const form = await own.store.form({ path: newPath("incoming"), type, bytes: 5 });
    const file = part("file", "hello", '; filename="a.png"', "Content-Type: image/png\r\n");
    expect((await send(form, body(fieldsOf(form), file))).status).toBe(status);
    expect(await own.files()).toEqual(before);
  });

  it.each(["application/json", "multipart/form-data", "multipart/form-data; boundary=", "text/plain"])(
    "of type %s is refused",
    async (other) => {
      const form = await own.store.form({ path: newPath("incoming"), type, bytes: 5 });
      expect((await send(form, fieldsOf(form) + end, { "content-type": other })).status).toBe(400);
    },
  );

  it("is taken in pieces of any size", async () => {
    const bytes = someBytes(3_000);
    const path = newPath("incoming");
    const form = await own.store.form({ path, type, bytes: bytes.length });
    const whole = Buffer.concat([
      Buffer.from(fieldsOf(form)),
      Buffer.from(part("file", "", '; filename="a.png"', "Content-Type: image/png\r\n").slice(0, -2)),
      bytes,
      Buffer.from(`\r\n${end}`),
    ]);
    const status = await new Promise((resolve, reject) => {
      const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, "content-length": whole.length };
      const sent = request(own.base + form.url, { method: "POST", headers }, (answer) => resolve(answer.statusCode));
      sent.on("error", reject);
      for (let at = 0; at < whole.length; at += 7) sent.write(whole.subarray(at, at + 7));
      sent.end();
    });
    expect(status).toBe(204);
    expect(Buffer.from(await own.store.read(path, 5_000))).toEqual(bytes);
  });
});

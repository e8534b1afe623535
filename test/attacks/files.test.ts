/** Attacks on files over real HTTP, with the storage of this machine: each is refused, or does no harm, and leaves nothing behind. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "../../db/sql.ts";
import { fetchMs, uploadMs } from "../../shared/file_store.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, TestClock } from "../_house.ts";
import { contents, pngOf, zipOf } from "../functions/_contents.ts";

const png = contents["image/png"];
const html = "<!doctype html><script>alert(1)</script>";
const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

let house: House;
let guest: Person;
let other: Person;
let folder: string;
const clock = new TestClock();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-files-"));
  house = await openHouse(anyEngine, { clock, filesFolder: folder });
  [guest, other] = [await house.guest(), await house.guest()];
});
afterAll(async () => {
  await house.close();
  rmSync(folder, { recursive: true });
});

interface Place {
  readonly file: { readonly id: string };
  readonly upload: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

const asked = { purpose: "picture", name: "a.png", type: "image/png", bytes: png.length };
const ask = (more: object = {}, who = guest) => who.http("POST", "/files", { body: { ...asked, ...more } });

async function place(more: object = {}): Promise<Place> {
  const { status, body, text } = await ask(more);
  if (status !== 201) throw new Error(text);
  return body;
}

const absolute = (url: string) => new URL(url, house.url).href;

const put = (url: string, body: Uint8Array, headers: Readonly<Record<string, string>>) =>
  fetch(absolute(url), { method: "PUT", headers, body: body as never }).then(({ status }) => status);

async function sent(body: Uint8Array, more: object = {}): Promise<string> {
  const { file, upload } = await place({ bytes: body.length, ...more });
  expect(await put(upload.url, body, upload.headers)).toBe(200);
  return file.id;
}

async function stored(body: Uint8Array = png, more: object = {}): Promise<string> {
  const id = await sent(body, more);
  expect((await guest.http("POST", `/files/${id}/complete`)).status).toBe(200);
  return id;
}

/** What lies in the folder of files. */
const objects = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /[\w-]{22}/.test(name))
    .toSorted();

/** As it is written: `fetch` would tidy the path up before it sends it. */
const plain = (method: string, path: string) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(house.url);
    const sending = request({ hostname, port, method, path }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part)).on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sending.on("error", reject);
    sending.end();
  });

const codeOf = ({ status, body }: { status: number; body?: { code?: string } }) =>
  `${status} ${body?.code ?? ""}`.trim();

describe("type confusion:", () => {
  it.each([
    ["an SVG with a script, declared as one", "image/svg+xml", svg],
    ["a page, declared as one", "text/html", html],
    ["a page as XHTML", "application/xhtml+xml", html],
    ["a script", "text/javascript", "alert(1)"],
    ["a type with a rider", "image/png, text/html", html],
    ["a type with a line end", "image/png\r\nx: y", html],
  ])("%s gets no place", async (_, type, body) => {
    const answer = await ask({ type, bytes: body.length });
    expect(["400 INVALID_INPUT", "415 FILE_TYPE_REFUSED"]).toContain(codeOf(answer));
  });

  it.each([
    ["an SVG with a script", "image/png", Buffer.from(svg)],
    ["a page", "image/jpeg", Buffer.from(html)],
    ["a page that begins as a GIF", "image/gif", Buffer.from(`GIF89a${html}`)],
    ["a script that begins as a GIF", "image/gif", Buffer.from("GIF89a/*\0\0\0\0*/=1;alert(1)")],
    ["a page behind a PNG's signature", "image/png", Buffer.from(`\x89PNG\r\n\x1a\n${html}`, "latin1")],
    ["a page behind a JPEG's mark", "image/jpeg", Buffer.from(`\xff\xd8\xff${html}`, "latin1")],
    ["an archive", "image/jpeg", zipOf("a.jpg")],
    ["a bomb of 10 gigapixels", "image/png", pngOf(100_000, 100_000)],
    ["nothing but zeros", "image/webp", Buffer.alloc(100)],
  ])("%s as %s is removed when it is completed", async (_, type, body) => {
    const before = objects();
    for (const by of ["put", "form"]) {
      const { file, upload } = await place({ type, bytes: body.length, by });
      if (by === "put") expect(await put(upload.url, body, upload.headers)).toBe(200);
      else {
        const form = new FormData();
        const { fields } = upload as unknown as { fields: Record<string, string> };
        for (const [name, value] of Object.entries(fields)) form.append(name, value);
        form.append("file", new Blob([body as never]), "a.png");
        expect((await fetch(absolute(upload.url), { method: "POST", body: form })).ok).toBe(true);
      }
      expect(codeOf(await guest.http("POST", `/files/${file.id}/complete`))).toBe("400 FILE_CONTENT_WRONG");
      expect(codeOf(await guest.http("GET", `/files/${file.id}`))).toBe("404 FILE_UNKNOWN");
    }
    expect(objects()).toEqual(before);
  });

  it("a picture with a page behind it, and a name of one, is only ever a picture to a browser", async () => {
    const id = await stored(Buffer.concat([png, Buffer.from(html)]), { name: "evil.html" });
    const shown = await fetch(absolute(`/files/${id}/content`));
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": "image/png",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "content-disposition": expect.stringMatching(/^inline; filename="evil\.html"/),
    });
  });

  it.each([
    ["a text that is a page", "text/plain", Buffer.from(html), "file"],
    ["bytes that are a page", "text/html", Buffer.from(html), "cloud"],
    ["bytes that are an SVG", "image/svg+xml", Buffer.from(svg), "cloud"],
    ["an archive with a page in it", "application/zip", zipOf("index.html"), "file"],
  ])("%s is saved, never shown", async (_, type, body, purpose) => {
    const id = await stored(body, { type, purpose, name: "index.html", visibility: "unlisted" });
    const shown = await fetch(absolute(`/files/${id}/content`));
    expect(shown.headers.get("content-disposition")).toMatch(/^attachment; /);
    expect(shown.headers.get("x-content-type-options")).toBe("nosniff");
    expect(shown.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(shown.headers.get("content-type")).not.toMatch(/html|svg|xml/);
  });
});

describe("traversal:", () => {
  it.each([
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/passwd",
    "..",
    ".",
    "a\0.png",
    "a\r\nLocation: https://evil.example",
    "photo\u202Egnp.exe",
    "a".repeat(256),
  ])("the name %j gets no place", async (name) => {
    expect(codeOf(await ask({ name }))).toBe("400 INVALID_INPUT");
  });

  it.each(['"; filename="x.html', "%2e%2e%2fetc%2fpasswd", "a;b=c", "קובץ\u200f.png", "面".repeat(255), " .png"])(
    "the name %j is a name and nothing else: it comes back as it is in the header",
    async (name) => {
      const id = await stored(png, { name });
      const header = (await fetch(absolute(`/files/${id}/content`))).headers.get("content-disposition") ?? "";
      expect(header).toMatch(/^inline; filename="[^"\\%]*"; filename\*=UTF-8''[^ ;"\\]*$/);
      expect(decodeURIComponent(/filename\*=UTF-8''([^;]*)$/.exec(header)?.[1] ?? "")).toBe(name);
    },
  );

  it("no path below a file leads anywhere else", async () => {
    const id = await stored();
    for (const name of [
      "..%2f..%2fkeys.json",
      "%2e%2e/%2e%2e/keys.json",
      "../../../etc/passwd",
      "..%5c..%5ckeys.json",
      "%2e%2e",
      "content%00.html",
      "content/..",
      "content%2f..%2f..%2fetc%2fpasswd",
      "%E2%80%AE",
      "%c0%ae%c0%ae%c0%af",
      "a".repeat(256),
      "",
    ]) {
      const { status, text } = await plain("GET", `/files/${id}/${name}`);
      expect([name, [400, 404].includes(status), text.includes("root:")]).toEqual([name, true, false]);
    }
  });

  it("no id but a ULID is looked for", async () => {
    for (const id of [
      "..",
      "%2e%2e%2f",
      "1%20OR%201=1",
      "'; DROP TABLE files; --",
      "a".repeat(26),
      `${"0".repeat(26)}%00`,
    ]) {
      const { status } = await plain("GET", `/files/${encodeURI(id)}/content`);
      expect([id, [400, 404].includes(status)]).toEqual([id, true]);
    }
  });

  it("no signed address leads out of the folder", async () => {
    const { upload } = await place();
    const query = upload.url.slice(upload.url.indexOf("?"));
    const before = objects();
    for (const path of [
      "/store/../keys.json",
      "/store/%2e%2e/keys.json",
      "/store/files/..%2f..%2fkeys.json",
      "/store/files/../../keys.json",
      "/store/files/",
      "/store/",
      "/store//etc/passwd",
      `/store/files/${"a".repeat(22)}%00`,
    ])
      for (const method of ["GET", "PUT"]) {
        const { status } = await plain(method, path + query);
        expect([method, path, status >= 400 && status < 500]).toEqual([method, path, true]);
      }
    expect(objects()).toEqual(before);
  });
});

describe("signatures:", () => {
  const changed = (url: string, change: (url: URL) => void) => {
    const whole = new URL(absolute(url));
    change(whole);
    return whole.href;
  };
  const swap = (text: string) => `${text.slice(0, -2)}${text.endsWith("A") ? "BB" : "AA"}`;

  it("an altered address stores nothing, whatever of it was altered", async () => {
    const [{ upload }, another] = [await place(), await place()];
    const before = objects();
    const [name] = [...new URL(absolute(upload.url)).searchParams.keys()];
    const forged: ((url: URL) => void)[] = [
      (url) => url.searchParams.set("until", String(clock.now() + 10 * uploadMs)),
      (url) => url.searchParams.set("signature", swap(url.searchParams.get("signature") ?? "")),
      (url) => url.searchParams.delete("signature"),
      (url) => url.searchParams.delete(name as string),
      (url) => url.searchParams.append("bytes", "1"),
      (url) => {
        url.search = "";
      },
      (url) => {
        url.pathname = new URL(absolute(another.upload.url)).pathname;
      },
      (url) => {
        url.pathname = swap(url.pathname);
      },
    ];
    for (const change of forged) expect(await put(changed(upload.url, change), png, upload.headers)).toBe(403);
    expect(objects()).toEqual(before);
    expect(await put(upload.url, png, upload.headers)).toBe(200);
  });

  it("other bytes or another type than signed are not stored", async () => {
    const { upload } = await place();
    const before = objects();
    expect(await put(upload.url, Buffer.concat([png, png]), upload.headers)).toBe(403);
    expect(await put(upload.url, png.subarray(1), upload.headers)).toBe(403);
    expect(await put(upload.url, png, { ...upload.headers, "content-type": "text/html" })).toBe(403);
    expect(objects()).toEqual(before);
  });

  it("an address stores once: what was checked is never replaced", async () => {
    const { file, upload } = await place();
    expect(await put(upload.url, png, upload.headers)).toBe(200);
    expect((await guest.http("POST", `/files/${file.id}/complete`)).status).toBe(200);
    expect(await put(upload.url, Buffer.alloc(png.length, "<"), upload.headers)).toBe(412);
    const bytes = await (await fetch(absolute(`/files/${file.id}/content`))).arrayBuffer();
    expect(Buffer.from(bytes)).toEqual(png);
  });

  it("an upload's address is none to read, and a reader's is none to write", async () => {
    const { file, upload } = await place();
    expect((await fetch(absolute(upload.url))).status).toBe(403);
    expect(await put(upload.url, png, upload.headers)).toBe(200);
    const { address } = (await guest.http("GET", `/files/${file.id}`)).body;
    expect(await put(address.url, png, upload.headers)).toBe(403);
  });

  it("an expired address stores and shows nothing", async () => {
    const { upload } = await place();
    const { url } = (await guest.http("GET", `/files/${await stored()}`)).body.address;
    expect((await fetch(absolute(url))).status).toBe(200);
    clock.forward(Math.max(uploadMs, 2 * fetchMs) + 1_000);
    const before = objects();
    expect(await put(upload.url, png, upload.headers)).toBe(403);
    expect((await fetch(absolute(url))).status).toBe(403);
    expect(objects()).toEqual(before);
  });

  it("another name or type cannot be put into a reader's address", async () => {
    const { url } = (await guest.http("GET", `/files/${await stored()}`)).body.address;
    const keys = [...new URL(absolute(url)).searchParams.keys()].filter((key) => key !== "signature");
    for (const key of keys)
      expect((await fetch(changed(url, ({ searchParams }) => searchParams.set(key, "text/html")))).status).toBe(403);
  });
});

describe("another's files:", () => {
  it("an id that is guessed or another's private one is answered alike, and nothing of it changes", async () => {
    const id = await stored(png, { visibility: "private" });
    const unknown = `${id.slice(0, 10)}${"0".repeat(16)}`;
    const rows = () =>
      house.db.read([sql`SELECT * FROM files ORDER BY id`, sql`SELECT * FROM file_counts ORDER BY holder`]);
    const before = await rows();
    const asks: [string, string, object?][] = [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/complete"],
      ["POST", "/parts", { parts: [] }],
      ["GET", "/content"],
    ];
    for (const [method, path, body] of asks)
      for (const one of [id, unknown]) {
        const answer = await other.http(method, `/files/${one}${path}`, body === undefined ? {} : { body });
        expect([method, path, codeOf(answer), answer.body.detail.replace(one, "")]).toEqual([
          method,
          path,
          "404 FILE_UNKNOWN",
          'there is no file ""',
        ]);
      }
    const into = await ask({ purpose: "file", of: id, type: "image/png" }, other);
    expect(codeOf(into)).toBe("415 FILE_TYPE_REFUSED");
    expect(await rows()).toEqual(before);
  });
});

it("a quota holds when its last place is asked for by many at once, over HTTP too", async () => {
  const { purposes } = house.app.config;
  const picture = purposes.get("picture");
  if (picture === undefined) throw new TypeError("files.yml has no pictures");
  const small = { ...picture, name: "small", perUser: { files: 3, bytes: 1_000_000 } };
  Object.assign(house.app.config, { purposes: new Map([...purposes, ["small", small]]) });
  const who = await house.guest();
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ purpose: "small" }, who)));
  Object.assign(house.app.config, { purposes });
  expect(answers.map(codeOf).toSorted()).toEqual(["201", "201", "201", ...Array(17).fill("409 FILES_FULL")]);
});

/** Clients of the local store that are slow, silent, or leave; a server that stops; a disk that is full. */
import fs, { readdirSync, readlinkSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { until } from "../_until.ts";
import { newPath, someBytes } from "../contracts/file_store.ts";
import { type FilesServer, openFiles } from "./_files.ts";
import { dial, ended } from "./_server.ts";

let own: FilesServer;
const open = async (...options: Parameters<typeof openFiles>) => {
  own = await openFiles(...options);
};
afterEach(() => {
  jest.restoreAllMocks();
  return own.close();
});

const type = "video/mp4";
const MB = 1_024 * 1_024;

const put = (bytes: number, path = newPath()) => own.store.put({ path, type, bytes });
const head = (url: string, bytes: number) =>
  `PUT ${url} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`;
const addressOf = async (path: string) => (await own.store.fetch({ path, type, disposition: "inline" })).url;

/** A file that is being written. */
const begun = async () => (await own.files()).filter((name) => name.startsWith("uploading/"));
async function untilFiles(names: readonly string[]): Promise<void> {
  let seen: string[] = [];
  for (let tries = 0; tries < 4_000; tries++) {
    seen = await own.files();
    if (seen.join() === names.join()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(seen).toEqual(names);
}
async function untilBegun(): Promise<void> {
  for (let tries = 0; (await begun()).length === 0 && tries < 4_000; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Files of the folder that this process has open. */
const held = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(own.folder);
    } catch {
      return false;
    }
  });
const onLinux = process.platform === "linux" ? it : it.skip;

async function storedFile(bytes: Buffer): Promise<string> {
  const path = newPath();
  await own.store.write({ path, type, bytes: bytes.length }, bytes);
  return path;
}

describe("an upload", () => {
  it("whose client leaves in the middle leaves nothing", async () => {
    await open();
    const { url } = await put(1_000);
    const socket = await dial(own.server.port);
    socket.write(head(url, 1_000));
    socket.write(someBytes(500));
    await untilBegun();
    socket.destroy();
    await untilFiles([]);
    expect(own.lines).toEqual([]);
    expect(
      (
        await fetch(own.base + url, {
          method: "PUT",
          headers: { "content-type": type },
          body: someBytes(1_000) as never,
        })
      ).status,
    ).toBe(200);
  });

  it("of a form, or of a part, whose client leaves in the middle leaves nothing", async () => {
    await open();
    const object = { path: newPath("incoming"), type, bytes: 1_000 };
    const form = await own.store.form(object);
    const fields = Object.entries(form.fields).map(
      ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const start = `${fields.join("")}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
    const upload = await own.store.beginParts(object);
    const part = await own.store.part(object, upload, 1, 1_000);
    for (const text of [
      `POST ${form.url} HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${start.length + 1_007}\r\n\r\n${start}`,
      head(part.url, 1_000),
    ]) {
      const socket = await dial(own.server.port);
      socket.write(text);
      socket.write(someBytes(500));
      await untilBegun();
      socket.destroy();
      await untilFiles([]);
    }
    expect(await own.store.parts(object.path, upload)).toEqual([]);
    expect(own.lines).toEqual([]);
  });

  it("may take longer than a request to a function, whose body is cut", async () => {
    await open({ limits: { headersMs: 100, requestMs: 200 } });
    const { url } = await put(10);
    const slow = async (first: string) => {
      const socket = await dial(own.server.port);
      const answer = ended(socket);
      socket.write(first);
      for (let sent = 0; sent < 10 && socket.writable; sent++) {
        socket.write("x");
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      socket.end();
      return answer;
    };
    const [stored, unsigned, other] = await Promise.all([
      slow(head(url, 10)),
      slow(head(url.replace("bytes=10", "bytes=11"), 100_000)),
      slow("POST /pets HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"),
    ]);
    expect(stored).toMatch(/^HTTP\/1.1 200 /);
    // Refused at once; its body is not waited for.
    expect(unsigned).toMatch(/^HTTP\/1.1 403 /);
    expect(other).toMatch(/^HTTP\/1.1 408 /);
  });

  it("that stands still is cut, as is one that takes longer than its address holds", async () => {
    await open({ times: { silentMs: 100, wholeMs: 400 } });
    const stands = await dial(own.server.port);
    const first = ended(stands);
    stands.write(head((await put(1_000)).url, 1_000));
    stands.write("x");
    const drips = await dial(own.server.port);
    const second = ended(drips);
    drips.write(head((await put(1_000)).url, 1_000));
    const timer = setInterval(() => drips.write("x"), 20);
    await Promise.all([first, second]);
    clearInterval(timer);
    await untilFiles([]);
    expect(own.lines).toEqual([]);
  });

  it("is followed by others on its connection", async () => {
    await open({ times: { silentMs: 150, wholeMs: 10_000 } });
    const socket = await dial(own.server.port);
    const answers = ended(socket);
    for (let nth = 0; nth < 3; nth++) {
      socket.write(head((await put(3)).url, 3));
      socket.write("abc");
      // Between requests nothing of an upload's time holds.
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    socket.end();
    expect((await answers).match(/HTTP\/1.1 200 /g)).toHaveLength(3);
  });

  it("that is refused still has its body read, up to the size of an upload", async () => {
    await open();
    const { url } = await put(5);
    for (const size of [1, 20]) {
      const answer = await fetch(own.base + url, {
        method: "PUT",
        headers: { "content-type": type },
        body: Buffer.alloc(size * MB) as never,
      });
      expect(answer.status).toBe(403);
    }
    const socket = await dial(own.server.port);
    socket.on("error", () => {});
    const closed = ended(socket);
    socket.write(head(url, 10_000 * MB));
    const chunk = Buffer.alloc(MB);
    const more = () => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", more);
    more();
    expect(await closed).toMatch(/^HTTP\/1.1 403 /);
    expect(socket.bytesWritten).toBeLessThan(200 * MB);
  });
});

describe("a download", () => {
  onLinux("whose client leaves closes its file", async () => {
    await open();
    const url = await addressOf(await storedFile(someBytes(30 * MB)));
    const answer = await new Promise<import("node:http").IncomingMessage>((resolve) =>
      httpRequest(own.base + url, resolve).end(),
    );
    await until(() => held().length > 0, "an open file");
    answer.destroy();
    await until(() => held().length === 0, "no open file");
    expect(own.lines).toEqual([]);
  });

  it("of an object that is removed meanwhile ends", async () => {
    await open();
    const path = await storedFile(someBytes(30 * MB));
    const answer = await fetch(own.base + (await addressOf(path)));
    await own.store.remove([path]);
    // Its file is still open, and comes to its end.
    expect((await answer.arrayBuffer()).byteLength).toBe(30 * MB);
    expect((await fetch(own.base + (await addressOf(path)))).status).toBe(404);
    expect(await own.files()).toEqual([]);
  });

  it("does not delay a stop", async () => {
    await open({ limits: { stopMs: 600_000, transferStopMs: 50 } });
    const url = await addressOf(await storedFile(someBytes(30 * MB)));
    const answer = await new Promise<import("node:http").IncomingMessage>((resolve) =>
      httpRequest(own.base + url, resolve).end(),
    );
    const cut = new Promise((resolve) => answer.once("error", resolve));
    const upload = await dial(own.server.port);
    const uploadCut = ended(upload);
    upload.write(head((await put(1_000)).url, 1_000));
    upload.write("x");
    await untilBegun();
    await own.server.stop();
    answer.resume();
    await Promise.all([cut, uploadCut]);
    await until(() => readdirSync(`${own.folder}/uploading`).length === 0, "no file that is being written");
  });
});

describe("a full disk", () => {
  onLinux("refuses an upload with 503, says so in the log, and leaves nothing", async () => {
    await open();
    const path = newPath();
    const { url, headers } = await put(3 * MB, path);
    const body = someBytes(3 * MB) as never;
    const real = fs.createWriteStream;
    jest.spyOn(fs, "createWriteStream").mockImplementation(() => real("/dev/full"));
    const answer = await fetch(own.base + url, { method: "PUT", headers, body });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "3"]);
    expect(JSON.parse(own.lines[0] ?? "")).toMatchObject({
      event: "files.full",
      level: "error",
      folder: own.folder,
    });
    expect(own.lines.join()).not.toMatch(/signature|until=/);
    jest.restoreAllMocks();
    expect(await own.files()).toEqual([]);
    expect((await fetch(own.base + url, { method: "PUT", headers, body })).status).toBe(200);
  });
});

/** Files of CloudBase's own client, unmodified: what it uploads comes back whole, to whom it should, and is replaced in one piece. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { readPaths } from "../../db/cloud_paths.ts";
import { readCount, readFiles } from "../../db/files.ts";
import type { FileStore } from "../../shared/file_store.ts";
import { maxObjectBytes } from "../../shared/large_bodies.ts";
import { builtInPurposes } from "../../shared/purpose.ts";
import { onEveryDialect } from "../_engines.ts";
import { altered, type House } from "../_house.ts";
import { memoryStore } from "../_memory_store.ts";
import { type EndPointMode, type SignedIn, signIn } from "./_client.ts";
import { openDoors } from "./_doors.ts";
import { anotherPng, failure, png, type Storage, storageOf } from "./_files.ts";
import { prepareNode } from "./_watched.ts";

prepareNode();

const ways: readonly (readonly [EndPointMode, "put" | "post"])[] = [
  ["GATEWAY", "put"],
  ["GATEWAY", "post"],
  ["CLOUD_API", "put"],
  ["CLOUD_API", "post"],
];

/** Buffers of Node and of the test compare as text alone. */
const hex = (bytes: Uint8Array | ArrayBuffer | undefined) =>
  Buffer.from((bytes ?? new Uint8Array()) as Uint8Array).toString("hex");

const id = (path: string) => `cloud://orderbell.files/${path}`;

interface User extends SignedIn {
  readonly files: Storage;
}

onEveryDialect((engine) => {
  let house: House;
  let [ann, bob]: User[] = [];
  beforeAll(async () => {
    house = await openDoors(engine, { mayFail: true });
    [ann, bob] = [await user(), await user()];
  });
  afterAll(() => house.close());

  async function user(endPointMode: EndPointMode = "CLOUD_API"): Promise<User> {
    const signed = await signIn(house, { endPointMode });
    return { ...signed, files: storageOf(signed.app) };
  }
  const own = () => ann as User;
  const other = () => bob as User;

  async function urlOf(files: Storage, path: string, maxAge = 600): Promise<string> {
    const { fileList } = await files.getTempFileURL({ fileList: [{ fileID: id(path), maxAge }] });
    expect(fileList).toEqual([expect.objectContaining({ code: "SUCCESS", fileID: id(path) })]);
    return fileList[0]?.tempFileURL ?? "";
  }
  const bytesAt = async (url: string) => hex(await (await fetch(url)).arrayBuffer());
  const codeOf = async (files: Storage, path: string) =>
    (await files.getTempFileURL({ fileList: [id(path)] })).fileList[0]?.code;
  const tokenOf = async ({ app }: User) => String((await app.auth.getSession()).data.session?.access_token);

  it.each(ways)("are uploaded, shown, downloaded and deleted: %s, %s", async (endPointMode, method) => {
    const { files } = await user(endPointMode);
    const [path, picture] = [`shown/${endPointMode}-${method}/面 条.png`, anotherPng()];
    const { fileID, download_url: address } = await files.uploadFile({ cloudPath: path, filePath: picture, method });
    expect(fileID).toBe(id(path));
    const url = await urlOf(files, path);
    const shown = await fetch(url);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": "image/png",
      "content-disposition": `inline; filename="_ _.png"; filename*=UTF-8''${encodeURIComponent("面 条.png")}`,
      "x-content-type-options": "nosniff",
      "accept-ranges": "bytes",
    });
    expect(hex(await shown.arrayBuffer())).toBe(hex(picture));
    expect(await bytesAt(String(address))).toBe(hex(picture));
    const part = await fetch(url, { headers: { range: "bytes=8-15" } });
    expect([part.status, hex(await part.arrayBuffer())]).toEqual([206, hex(picture.subarray(8, 16))]);
    expect(hex((await files.downloadFile({ fileID })).fileContent)).toBe(hex(picture));
    expect((await files.getFileInfo({ fileList: [fileID] })).fileList[0]).toMatchObject({
      code: "SUCCESS",
      size: picture.length,
      mime: "image/png",
      etag: expect.stringMatching(/^".+"$/),
    });
    expect((await files.deleteFile({ fileList: [fileID] })).fileList).toMatchObject([{ code: "SUCCESS", fileID }]);
    expect(await codeOf(files, path)).toBe("STORAGE_FILE_NONEXIST");
    expect((await fetch(url)).status).toBe(404);
    expect(await failure(files.downloadFile({ fileID }))).toMatch(/^STORAGE_FILE_NONEXIST/);
  });

  it("replace the file that was at the path: same id and address, and the old object is gone", async () => {
    const path = "avatar.png";
    const [before, after] = [anotherPng(), anotherPng()];
    const { fileID } = await own().files.uploadFile({ cloudPath: path, filePath: before });
    const url = await urlOf(own().files, path);
    expect(await bytesAt(url)).toBe(hex(before));
    const counted = await amountOf(own());
    const again = await own().files.uploadFile({ cloudPath: path, filePath: after });
    expect(again.fileID).toBe(fileID);
    expect(await bytesAt(url)).toBe(hex(after));
    expect(await amountOf(own())).toEqual(counted);
  });

  async function amountOf({ uid }: User) {
    const [rows] = await house.db.read([readCount(uid, "cloud")]);
    return rows[0];
  }

  it("are never seen by half while they are replaced", async () => {
    const path = "film.bin";
    const versions = Array.from({ length: 6 }, () => randomBytes(300_000));
    await own().files.uploadFile({ cloudPath: path, filePath: versions[0] });
    const url = await urlOf(own().files, path);
    let isOver = false;
    const reading = (async () => {
      const seen: boolean[] = [];
      while (!isOver) {
        const answer = await fetch(url);
        const bytes = hex(await answer.arrayBuffer());
        seen.push(answer.status === 200 ? versions.some((one) => hex(one) === bytes) : answer.status === 404);
      }
      return seen;
    })();
    for (const version of versions.slice(1)) await own().files.uploadFile({ cloudPath: path, filePath: version });
    isOver = true;
    expect(new Set(await reading)).toEqual(new Set([true]));
    expect(await bytesAt(url)).toBe(hex(versions.at(-1)));
  });

  it("stay those of who stored them first: others read them, and neither replace nor delete them", async () => {
    const path = "shared/ann.png";
    await own().files.uploadFile({ cloudPath: path, filePath: png });
    expect(await bytesAt(await urlOf(other().files, path))).toBe(hex(png));
    for (const endPointMode of ["GATEWAY", "CLOUD_API"] as const) {
      const { files } = await user(endPointMode);
      expect(await failure(files.uploadFile({ cloudPath: path, filePath: anotherPng() }))).toContain(
        "STORAGE_EXCEED_AUTHORITY",
      );
      expect((await files.deleteFile({ fileList: [id(path)] })).fileList).toMatchObject([
        { code: "STORAGE_EXCEED_AUTHORITY", fileID: id(path) },
      ]);
    }
    expect(await bytesAt(await urlOf(own().files, path))).toBe(hex(png));
    await own().files.deleteFile({ fileList: [id(path)] });
    // A path without a file is anybody's.
    expect((await other().files.uploadFile({ cloudPath: path, filePath: png })).fileID).toBe(id(path));
  });

  it.each(["GATEWAY", "CLOUD_API"] as const)("have an outcome each in a list: %s", async (endPointMode) => {
    const { files } = await user(endPointMode);
    const mine = `lists/${endPointMode}.png`;
    await files.uploadFile({ cloudPath: mine, filePath: png });
    const foreign = `lists/${endPointMode}-foreign.png`;
    await other().files.uploadFile({ cloudPath: foreign, filePath: png });
    const asked = [id(mine), id("lists/nowhere.png"), "no id", id("../x"), id(foreign), id(mine)];
    const read = await files.getTempFileURL({ fileList: asked });
    const missing = "STORAGE_FILE_NONEXIST";
    expect(read.fileList.map(({ code }) => code)).toEqual(["SUCCESS", missing, missing, missing, "SUCCESS", "SUCCESS"]);
    expect(read.fileList.map(({ fileID }) => fileID)).toEqual(asked);
    expect(read.fileList.map(({ tempFileURL }) => typeof tempFileURL)).toContain("undefined");
    const removed = await files.deleteFile({ fileList: asked });
    expect(removed.fileList.map(({ code }) => code)).toEqual([
      ...["SUCCESS", missing, missing, missing],
      "STORAGE_EXCEED_AUTHORITY",
      "SUCCESS",
    ]);
    const copied = await files.copyFile({ fileList: [{ srcPath: mine, dstPath: "lists/copy.png" }] }).catch((e) => e);
    expect(JSON.stringify([copied, String(copied.message)])).toContain("NOT_SUPPORTED");
  });

  it("of one user that race for a path leave one of them, whole, and counted once", async () => {
    const { files, uid, ...rest } = await user();
    const versions = Array.from({ length: 6 }, anotherPng);
    const path = `race/${uid}.png`;
    await Promise.all(versions.map((filePath) => files.uploadFile({ cloudPath: path, filePath })));
    const left = await bytesAt(await urlOf(files, path));
    expect(versions.map(hex)).toContain(left);
    expect(await amountOf({ files, uid, ...rest })).toEqual({ files: 1, bytes: left.length / 2 });
    const [rows] = await house.db.read([readFiles({ owner: uid, limit: 50 })]);
    expect(rows.map(({ state }) => state)).toEqual(["stored"]);
  });

  it("of several users that race for a path leave one owner, and the others are refused", async () => {
    const users = await Promise.all(Array.from({ length: 4 }, () => user()));
    const outcomes = await Promise.all(
      users.map(({ files, uid }) =>
        files.uploadFile({ cloudPath: "race/all.txt", filePath: Buffer.from(uid) }).then(
          () => uid,
          (error) => String(error.message),
        ),
      ),
    );
    const winners = outcomes.filter((one) => users.some(({ uid }) => uid === one));
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((one) => one.includes("STORAGE_EXCEED_AUTHORITY"))).toHaveLength(3);
    expect(await bytesAt(await urlOf(own().files, "race/all.txt"))).toBe(hex(Buffer.from(winners[0] ?? "")));
    for (const loser of users.filter(({ uid }) => uid !== winners[0]))
      expect(await amountOf(loser)).toEqual({ files: 0, bytes: 0 });
  });

  it.each([
    ["照片/面条 (1).PNG", png, "image/png", "inline"],
    ["a-png-that-is-called.jpg", png, "image/png", "inline"],
    [
      "page.html",
      Buffer.from("<script>alert(1)</script>"),
      /^(application\/octet-stream|text\/plain.*)$/,
      "attachment",
    ],
    ["a-page-that-is-called.png", Buffer.from("<html>"), /^(application\/octet-stream|text\/plain.*)$/, "attachment"],
    [
      "drawing.svg",
      Buffer.from("<svg onload='alert(1)'/>"),
      /^(application\/octet-stream|text\/plain.*)$/,
      "attachment",
    ],
    ["notes.txt", Buffer.from("面"), "text/plain; charset=utf-8", "attachment"],
    ["no-ending", randomBytes(100), "application/octet-stream", "attachment"],
    [`${"很长".repeat(495)}/x.png`, png, "image/png", "inline"],
    [`${"长".repeat(996)}.png`, png, "image/png", "inline"],
    ["100% a?b#c&d='e'.png", png, "image/png", "inline"],
  ])("have the type of their content, in any script: %s", async (path, content, type, how) => {
    const { fileID } = await own().files.uploadFile({ cloudPath: `types/${path}`.slice(-1_000), filePath: content });
    const at = fileID.slice("cloud://orderbell.files/".length);
    const answer = await fetch(await urlOf(own().files, at));
    expect(answer.headers.get("content-type")).toMatch(type);
    expect(answer.headers.get("content-disposition")?.split(";")[0]).toBe(how);
    expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(hex(await answer.arrayBuffer())).toBe(hex(content));
    expect(hex((await own().files.downloadFile({ fileID })).fileContent)).toBe(hex(content));
  });

  it.each(["/a.png", "a//b.png", "../a.png", "a/..", "a\\b", "a\nb", "x".repeat(1_001)])(
    "have no path that leads out, or is too long: %j",
    async (cloudPath) => {
      for (const endPointMode of ["GATEWAY", "CLOUD_API"] as const) {
        const { files } = await user(endPointMode);
        expect(await failure(files.uploadFile({ cloudPath, filePath: png }))).toContain("INVALID_PARAM");
      }
    },
  );

  it("are not stored by whoever has not signed in, or has only a publishable key", async () => {
    const body = { action: "storage.getUploadMetadata", path: "a.png" };
    expect((await house.http("POST", "/web", { body })).body.code).toBe("SESSION_MISSING");
    const asked = await house.http("POST", "/v1/storages/get-objects-upload-info", { body: [{ objectId: "a.png" }] });
    expect([asked.status, asked.body.code]).toEqual([401, "SESSION_MISSING"]);
  });

  describe("an address to upload to", () => {
    const offer = async (who: User, path: string) =>
      (
        await house.http("POST", "/web", {
          token: await tokenOf(who),
          body: { action: "storage.getUploadMetadata", path },
        })
      ).body.data.url as string;
    const put = async (url: string) => {
      const { status, text } = await house.http("PUT", new URL(url).pathname, { raw: png });
      return [status, /<Code>(\w+)<\/Code>/.exec(text)?.[1]];
    };

    it("does nothing when it was altered, made for a download, or has expired", async () => {
      const url = await offer(own(), "tickets/a.png");
      const shown = new URL(await urlAfterUpload("tickets/b.png")).pathname.split("/").at(-2);
      expect(await put(altered(url))).toEqual([403, "STORAGE_EXCEED_AUTHORITY"]);
      expect(await put(url.replace(/[^/]+$/, String(shown)))).toEqual([403, "STORAGE_EXCEED_AUTHORITY"]);
      house.clock.forward(3_600_001);
      expect(await put(url)).toEqual([403, "STORAGE_EXCEED_AUTHORITY"]);
      expect(await codeOf(own().files, "tickets/a.png")).toBe("STORAGE_FILE_NONEXIST");
    });

    const urlAfterUpload = async (path: string) => {
      await own().files.uploadFile({ cloudPath: path, filePath: png });
      return urlOf(own().files, path);
    };

    it("ends with the session that asked for it", async () => {
      const gone = await user();
      const url = await offer(gone, "tickets/c.png");
      expect((await house.http("DELETE", "/session", { token: await tokenOf(gone) })).status).toBe(204);
      expect(await put(url)).toEqual([401, "ACCESS_TOKEN_EXPIRED"]);
    });

    it("takes no form without a file, no broken one, and nothing above its size", async () => {
      const path = new URL(await offer(own(), "tickets/d.png")).pathname;
      const form = new FormData();
      form.append("key", "tickets/d.png");
      const asked = new Response(form);
      const send = async (raw: Uint8Array, type: string) => {
        const { status } = await house.http("POST", path, { raw, headers: { "content-type": type } });
        return status;
      };
      expect(await send(new Uint8Array(await asked.arrayBuffer()), String(asked.headers.get("content-type")))).toBe(
        400,
      );
      expect(await send(png, "multipart/form-data; boundary=x")).toBe(400);
      expect(await send(png, "multipart/form-data")).toBe(400);
      expect(await send(png, "text/plain")).toBe(400);
      expect((await house.http("PUT", path, { raw: new Uint8Array(4_194_305) })).status).toBe(413);
      expect(await codeOf(own().files, "tickets/d.png")).toBe("STORAGE_FILE_NONEXIST");
    });
  });

  it("of more than 4 MB go to the storage itself where the client says their size, and are there afterwards", async () => {
    const { files } = await user("GATEWAY");
    const [small, film] = [anotherPng(), Buffer.concat([png, randomBytes(5_000_000)])];
    await files.uploadFile({ cloudPath: "large/film.png", filePath: small });
    const { fileID } = await files.uploadFile({ cloudPath: "large/film.png", filePath: film });
    // Many readers find it at once, and each would put it into its place.
    const urls = await Promise.all(Array.from({ length: 8 }, () => urlOf(files, "large/film.png")));
    const answer = await fetch(urls[0] ?? "");
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(hex(await answer.arrayBuffer()) === hex(film)).toBe(true);
    expect((await files.deleteFile({ fileList: [fileID] })).fileList).toMatchObject([{ code: "SUCCESS" }]);
    expect(await codeOf(files, "large/film.png")).toBe("STORAGE_FILE_NONEXIST");
    const old = await user("CLOUD_API");
    expect(await failure(old.files.uploadFile({ cloudPath: "large/old.png", filePath: film }))).toContain(
      "OPERATION_FAIL",
    );
  });
});

it("a file has more time than other bodies", async () => {
  const { anyEngine } = await import("../_engines.ts");
  const house = await openDoors(anyEngine, { limits: { headersMs: 200, requestMs: 400 } });
  const begin = (method: string, path: string) => {
    const asked = request(house.url + path, {
      method,
      headers: { "content-length": "4", "content-type": "text/plain" },
    });
    asked.write("ab");
    const status = once(asked, "response").then(([answer]) => answer.resume().statusCode);
    return { asked, status };
  };
  const file = begin("PUT", `/v1/storages/objects/a.${"x".repeat(43)}`);
  expect(await begin("POST", "/web").status).toBe(408);
  file.asked.end("cd");
  expect(await file.status).toBe(403);
  await house.close();
});

describe("a purpose of the developer's", () => {
  const cloud = builtInPurposes.find(({ name }) => name === "cloud");
  const withPurpose = (more: object): ReadonlyMap<string, NonNullable<typeof cloud>> => {
    if (cloud === undefined) throw new TypeError("there is no purpose for CloudBase's clients");
    return new Map([["cloud", { ...cloud, ...more }]]);
  };
  let house: House | undefined;
  afterEach(() => house?.close());
  const open = async (more: object, store?: FileStore) => {
    const { anyEngine } = await import("../_engines.ts");
    const other = store === undefined ? {} : { store };
    house = await openDoors(anyEngine, { config: { purposes: withPurpose(more) }, ...other });
    return house;
  };

  it("keeps private files from others, and leads to them for as long as was asked, within bounds", async () => {
    const at = await open({ visibility: ["private"] });
    const [ann, bob] = [
      await signIn(at, { endPointMode: "CLOUD_API" }),
      await signIn(at, { endPointMode: "CLOUD_API" }),
    ];
    const { fileID, download_url: first } = await storageOf(ann.app).uploadFile({ cloudPath: "id.png", filePath: png });
    const [mine, foreign] = await Promise.all(
      [ann, bob].map(
        async ({ app }) => (await storageOf(app).getTempFileURL({ fileList: [{ fileID, maxAge: 1e9 }] })).fileList[0],
      ),
    );
    expect([mine?.code, foreign?.code]).toEqual(["SUCCESS", "STORAGE_FILE_NONEXIST"]);
    expect((await storageOf(bob.app).deleteFile({ fileList: [fileID] })).fileList[0]?.code).toBe(
      "STORAGE_FILE_NONEXIST",
    );
    const url = String(mine?.tempFileURL);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(String(first))).status).toBe(200);
    at.clock.forward(86_400_001);
    expect((await fetch(url)).status).toBe(403);
    const [short] = (await storageOf(ann.app).getTempFileURL({ fileList: [{ fileID, maxAge: 1 }] })).fileList;
    at.clock.forward(59_000);
    expect((await fetch(String(short?.tempFileURL))).status).toBe(200);
    at.clock.forward(2_000);
    expect((await fetch(String(short?.tempFileURL))).status).toBe(403);
  });

  it("has its quotas and types, told in the client's way", async () => {
    const at = await open({ types: ["jpg", "png"], maxBytes: 1_000, perUser: { files: 2, bytes: 500 } });
    const files = storageOf((await signIn(at, { endPointMode: "GATEWAY" })).app);
    await files.uploadFile({ cloudPath: "1.png", filePath: png });
    expect(await failure(files.uploadFile({ cloudPath: "2.png", filePath: Buffer.alloc(1_001) }))).toContain(
      "FILE_TOO_LARGE",
    );
    expect(await failure(files.uploadFile({ cloudPath: "2.txt", filePath: Buffer.from("面") }))).toContain(
      "FILE_TYPE_REFUSED",
    );
    expect(
      await failure(files.uploadFile({ cloudPath: "2.png", filePath: Buffer.concat([png, Buffer.alloc(500)]) })),
    ).toContain("FILES_FULL");
    await files.uploadFile({ cloudPath: "2.png", filePath: png });
    expect(await failure(files.uploadFile({ cloudPath: "3.png", filePath: png }))).toContain("FILES_FULL");
    await files.deleteFile({ fileList: [id("1.png")] });
    expect((await files.uploadFile({ cloudPath: "3.png", filePath: png })).fileID).toBe(id("3.png"));
  });

  it("takes at most 4 MB with a storage that refuses what these clients send, such as S3", async () => {
    const at = await open({}, memoryStore());
    const files = storageOf((await signIn(at, { endPointMode: "GATEWAY" })).app);
    const large = files.uploadFile({ cloudPath: "a.bin", filePath: new Uint8Array(maxObjectBytes + 1) });
    expect(await failure(large)).toContain("FILE_TOO_LARGE");
    const { fileID } = await files.uploadFile({ cloudPath: "a.bin", filePath: new Uint8Array(maxObjectBytes) });
    expect((await files.getFileInfo({ fileList: [fileID] })).fileList[0]?.size).toBe(maxObjectBytes);
  });

  it("frees a path whose file was removed by other ways", async () => {
    const at = await open({});
    const ann = await signIn(at, { endPointMode: "CLOUD_API" });
    const token = String((await ann.app.auth.getSession()).data.session?.access_token);
    await storageOf(ann.app).uploadFile({ cloudPath: "a.png", filePath: png });
    const { files } = (await at.http("GET", "/files?purpose=cloud", { token })).body;
    expect(files).toMatchObject([{ name: "a.png", type: "image/png", visibility: "unlisted", state: "stored" }]);
    expect((await at.http("DELETE", `/files/${files[0].id}`, { token })).status).toBe(204);
    const bob = storageOf((await signIn(at, { endPointMode: "CLOUD_API" })).app);
    expect((await bob.getTempFileURL({ fileList: [id("a.png")] })).fileList[0]?.code).toBe("STORAGE_FILE_NONEXIST");
    await bob.uploadFile({ cloudPath: "a.png", filePath: anotherPng() });
    const [rows] = await at.db.read([readPaths([at.app.secrets.hash("a.png")])]);
    expect(rows).toHaveLength(1);
  });
});

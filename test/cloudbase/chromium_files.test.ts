/** Files of CloudBase's own client as a browser has them: a page of another origin uploads, shows and deletes them. */
import { anyEngine } from "../_engines.ts";
import type { House } from "../_house.ts";
import { hasBrowser } from "../web/_browser.ts";
import { openDoors } from "./_doors.ts";
import { type ClientPage, type ClientPages, openPages } from "./_page.ts";

const real = hasBrowser() ? it : it.skip;

let house: House;
let pages: ClientPages;
beforeAll(async () => {
  if (!hasBrowser()) return;
  house = await openDoors(anyEngine);
  pages = await openPages();
});
afterAll(async () => {
  await pages?.close();
  await house?.close();
});

async function begun(endPointMode: string): Promise<ClientPage> {
  const page = await pages.open();
  const options = { host: new URL(house.url).host, env: "shop", anonymous: true, endPointMode };
  await page.run(`return await begin(${JSON.stringify(options)})`);
  await page.run(helpers);
  return page;
}

/** A picture that the page paints itself, and what it sees of it afterwards. */
const helpers = `
  globalThis.painted = async (colour, side = 8) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, side, side);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return new File([blob], "面.png", { type: "image/png" });
  };
  globalThis.colourAt = async (url) => {
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].join();
  };
  globalThis.urlOf = async (fileID) => (await app.getTempFileURL({ fileList: [{ fileID, maxAge: 600 }] })).fileList[0].tempFileURL;
`;

interface Shown {
  readonly fileID: string;
  readonly progress: readonly [number, number][];
  readonly bytes: number;
  readonly colours: readonly string[];
  readonly info: { readonly size: number; readonly mime: string; readonly etag: string };
  readonly removed: readonly { readonly code: string }[];
  readonly gone: string;
}

real.each([
  ["GATEWAY", "put"],
  ["GATEWAY", "post"],
  ["CLOUD_API", "put"],
  ["CLOUD_API", "post"],
])("a page uploads a picture with progress, shows it, replaces it and deletes it (%s, %s)", async (mode, method) => {
  const page = await begun(mode);
  const told = await page.run<Shown>(`
    const cloudPath = ${JSON.stringify(`照片/${mode}-${method}.png`)};
    const progress = [];
    const first = await painted("#ff0000");
    const { fileID } = await app.uploadFile({
      cloudPath, filePath: first, method: "${method}",
      onUploadProgress: ({ loaded, total }) => progress.push([loaded, total]),
    });
    const colours = [await colourAt(await urlOf(fileID))];
    const info = (await app.getFileInfo({ fileList: [fileID] })).fileList[0];
    await app.uploadFile({ cloudPath, filePath: await painted("#00ff00"), method: "${method}" });
    colours.push(await colourAt(await urlOf(fileID)));
    const { fileList: removed } = await app.deleteFile({ fileList: [fileID] });
    const { fileList: [gone] } = await app.getTempFileURL({ fileList: [fileID] });
    return { fileID, progress, bytes: first.size, colours, info, removed, gone: gone.code };
  `);
  expect(told.fileID).toBe(`cloud://orderbell.files/照片/${mode}-${method}.png`);
  expect(told.colours).toEqual(["255,0,0,255", "0,255,0,255"]);
  const [loaded = 0, total] = told.progress.at(-1) ?? [];
  expect(loaded).toBe(total);
  expect(loaded).toBeGreaterThanOrEqual(told.bytes);
  expect(told.info).toMatchObject({ size: told.bytes, mime: "image/png", etag: expect.stringMatching(/^".+"$/) });
  expect(told.removed).toMatchObject([{ code: "SUCCESS" }]);
  expect(told.gone).toBe("STORAGE_FILE_NONEXIST");
  await page.page.close();
});

real("a film that the page has recorded plays, and is sought, from the address that the client gives", async () => {
  const page = await begun("GATEWAY");
  const told = await page.run<{ width: number; seconds: number; at: number }>(`
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 16;
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    for (let frame = 0; frame < 30; frame++) {
      context.fillStyle = frame % 2 ? "#fff" : "#000";
      context.fillRect(0, 0, 16, 16);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    recorder.stop();
    await new Promise((resolve) => (recorder.onstop = resolve));
    const film = new File(parts, "film.webm", { type: "video/webm" });
    const { fileID } = await app.uploadFile({ cloudPath: "film.webm", filePath: film });
    const video = document.createElement("video");
    video.muted = true;
    video.src = await urlOf(fileID);
    await new Promise((resolve, reject) => {
      video.oncanplay = resolve;
      video.onerror = () => reject(new Error(video.error?.message));
    });
    await video.play();
    await new Promise((resolve) => (video.ontimeupdate = () => video.currentTime > 0 && resolve()));
    video.currentTime = 0;
    await new Promise((resolve) => (video.onseeked = resolve));
    return { width: video.videoWidth, at: video.currentTime };
  `);
  expect(told).toMatchObject({ width: 16 });
  await page.page.close();
});

real("a page is told why a file is not taken", async () => {
  const [ann, bob] = [await begun("GATEWAY"), await begun("CLOUD_API")];
  const upload = (page: ClientPage, path: string, content: string) =>
    page.run<string>(`
      try {
        const { fileID } = await app.uploadFile({ cloudPath: ${JSON.stringify(path)}, filePath: ${content} });
        return fileID;
      } catch (error) {
        return String(error.code) + " " + error.message;
      }
    `);
  expect(await upload(ann, "mine.png", `await painted("#0000ff")`)).toBe("cloud://orderbell.files/mine.png");
  for (const page of [bob, await begun("GATEWAY")]) {
    expect(await upload(page, "mine.png", `await painted("#000000")`)).toContain("STORAGE_EXCEED_AUTHORITY");
    expect(await upload(page, "../a.png", `await painted("#000000")`)).toContain("INVALID_PARAM");
  }
  const big = `new File([new Uint8Array(5_000_000)], "big.bin")`;
  expect(await upload(bob, "big.bin", big)).toContain("OPERATION_FAIL");
  expect(await upload(ann, "big.bin", big)).toBe("cloud://orderbell.files/big.bin");
  const url = await ann.run<string>(`return urlOf("cloud://orderbell.files/big.bin")`);
  expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(5_000_000);
  await ann.page.close();
  await bob.page.close();
});

/** The pages from a deployment's zip, run as Lambda runs it, behind the local gateway with AWS's events. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get as ask, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import { servePages } from "../../cli/serve_pages.ts";
import { functionNames } from "../../scripts/build.ts";
import { pageHeaders } from "../../shared/pages.ts";
import { openServer, type TestServer } from "../apigateway/_server.ts";
import { hasBrowser, openBrowser } from "../web/_browser.ts";
import { laidOut } from "./_house.ts";
import { type Lambda, startLambda } from "./_lambda.ts";
import { builtOnce } from "./_package.ts";

const root = join(__dirname, "../..");
const socketUrl = "wss://abc123.execute-api.us-east-1.amazonaws.com/pgws";
const pictures = "https://a-bucket.s3.us-east-1.amazonaws.com";
const keys = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "a-secret-for-tests",
  AWS_SESSION_TOKEN: "a-token",
};
const told = { PICTURE_BUCKET: "a-bucket", SOCKET_URL: socketUrl };

let folder: string;
let zip: Uint8Array;
/** Functions whose zip holds the database's authority. */
let withAuthority: string[];
let lambda: Lambda;
/** Lambda's, and this machine's with the same files out of a folder. */
let cloud: TestServer;
let here: TestServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-pages-zip-"));
  const besideDriver = { "database_ca.pem": Buffer.from("an authority") };
  const built = await builtOnce({ engine: "postgres", network: false }, join(folder, "zips"), besideDriver);
  withAuthority = built.filter((one) => unzipSync(one.zip)["database_ca.pem"] !== undefined).map(({ name }) => name);
  zip = built.find(({ name }) => name === "pages")?.zip as Uint8Array;
  const zips = new Map(built.map((one) => [one.name, one.zip]));
  lambda = startLambda({ zips, environmentOf: () => ({ ...keys, ...told }) });
  const call = (name: string, event: unknown) => lambda.invoke(name, event);
  const yaml = readFileSync(join(root, "serverless.yml"), "utf8");
  cloud = await openServer({
    yaml,
    functions: { pages: (event) => call("pages", event), not_found: (event) => call("not_found", event) },
  });
  for (const [path, bytes] of Object.entries(unzipSync(zip))) {
    if (!path.startsWith("web/") || path.endsWith(".br")) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  here = await openServer({ files: servePages(join(folder, "web")) });
}, 120_000);

afterAll(async () => {
  await Promise.all([cloud.stop(), here.stop()]);
  lambda.close();
  rmSync(folder, { recursive: true });
});

it("the database's authority lies with the functions that go there, and with no other", () => {
  const without = ["pages", "not_found", "ask_wechat", "ask_outside"];
  expect(withAuthority).toEqual(functionNames().filter((name) => !without.includes(name)));
});

interface Raw {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As it comes over the wire: `fetch` would unpack it and follow. */
const get = (path: string, headers: Record<string, string> = {}, { url } = cloud) =>
  new Promise<Raw>((resolve, reject) => {
    ask(url + path, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    }).on("error", reject);
  });

/** The page's own script: large enough to be packed. */
const script = async (page: string) => /src="(\/assets\/[^"]+\.js)"/.exec((await get(page)).body.toString())?.[1] ?? "";

it.each(["/", "/kitchen", "/board", "/owner", "/?shop=noodle-house&table=x"])(
  "pages are served at %s, with every part that they name",
  async (path) => {
    const { status, headers, body } = await get(path);
    expect([status, headers["content-type"], headers["cache-control"]]).toEqual([
      200,
      "text/html; charset=utf-8",
      "no-cache",
    ]);
    const parts = [...body.toString().matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, part]) => String(part));
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect([part, (await get(part)).status]).toEqual([part, 200]);
  },
);

it("pages have the HTTP API beside them, with its style sheet and no script", async () => {
  const { status, headers, body } = await get("/docs");
  expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  const parts = [...body.toString().matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, part]) => String(part));
  const files = new Set(parts.map((part) => part.replace(/#.*/, "")));
  expect([...files]).toEqual([expect.stringMatching(/^\/assets\/docs-[\w-]+\.css$/), "/errors"]);
  for (const part of files) expect([part, (await get(part)).status]).toEqual([part, 200]);
});

it("pages may reach their socket and their pictures, and nothing else than on this machine", async () => {
  const policy = (await get("/owner")).headers["content-security-policy"];
  expect(policy).toBe(
    pageHeaders()
      ["content-security-policy"]?.replace(
        "connect-src 'self'",
        `connect-src 'self' ${new URL(socketUrl).origin} ${pictures}`,
      )
      .replace("img-src 'self' data: blob:", `img-src 'self' data: blob: ${pictures}`)
      .replace("media-src 'self' blob:", `media-src 'self' blob: ${pictures}`),
  );
  expect(policy).toContain(`connect-src 'self' wss://abc123.execute-api.us-east-1.amazonaws.com ${pictures};`);
});

(hasBrowser() ? it : it.skip)(
  "keep to that in a browser: the bucket takes and shows, another host is never asked",
  async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ width: 800, height: 600 });
      const asked: string[] = [];
      const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
      await page.route(/^https:/, async (route) => {
        asked.push(`${route.request().method()} ${new URL(route.request().url()).origin}`);
        const headers = { "access-control-allow-origin": "*", "access-control-allow-methods": "PUT" };
        await route.fulfill({ headers, contentType: "image/png", body: Buffer.from(png, "base64") });
      });
      await page.goto(`${cloud.url}/owner`);
      // Its script has run: the page's own parts are within its policy.
      await page.waitForSelector("#page > *");
      // As text: it runs in the page, whose words this file's types do not know.
      const reach = (host: string) =>
        page.evaluate(`(async () => {
        const image = new Image();
        const shown = new Promise((resolve) => {
          image.onload = () => resolve(true);
          image.onerror = () => resolve(false);
        });
        image.src = "${host}/pictures/a.png";
        const put = await fetch("${host}/pictures/a.png", { method: "PUT", body: "a" }).then(({ ok }) => ok, () => false);
        return [await shown, put];
      })()`);
      expect(await reach(pictures)).toEqual([true, true]);
      expect(await reach("https://elsewhere.example.com")).toEqual([false, false]);
      expect([...new Set(asked)].filter((line) => !line.endsWith(` ${pictures}`))).toEqual([]);
      expect(asked).toContain(`PUT ${pictures}`);
    } finally {
      await browser.close();
    }
  },
  120_000,
);

(hasBrowser() ? it : it.skip)(
  "come up although ten functions run already: what was refused is asked for again",
  async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ width: 800, height: 600 });
      const refused: string[] = [];
      // The first parts, as the gateway of a new account does.
      await page.route(/\/assets\//, (route) => {
        if (refused.length === 3) return route.continue();
        refused.push(route.request().url());
        return route.fulfill({
          status: 503,
          contentType: "application/json",
          body: '{"message":"Service Unavailable"}',
        });
      });
      await page.goto(`${cloud.url}/kitchen`);
      await page.waitForSelector("#page > *");
      expect(refused.length).toBe(3);
    } finally {
      await browser.close();
    }
  },
  120_000,
);

it("pages have the same parts, headers and bytes as on this machine", async () => {
  const parts = readdirSync(join(folder, "web/assets")).map((name) => `/assets/${name}`);
  expect(parts.length).toBeGreaterThan(5);
  for (const path of parts) {
    const [one, other] = await Promise.all([get(path), get(path, {}, here)]);
    expect(one.body.equals(other.body)).toBe(true);
    // The two of the gateway and of Node, and the policy, which is held above.
    const own = ({ headers }: Raw) => {
      const {
        date,
        connection,
        "keep-alive": _,
        "x-request-id": __,
        "content-security-policy": ___,
        ...rest
      } = headers;
      return rest;
    };
    expect(own(one)).toMatchObject(own(other));
    expect(one.headers).toMatchObject({ "cache-control": "public, max-age=31536000, immutable" });
  }
});

it.each([
  ["gzip, deflate, br", "br", brotliDecompressSync],
  ["gzip", "gzip", gunzipSync],
  ["br;q=0, gzip", "gzip", gunzipSync],
  ["identity", undefined, (bytes: Buffer) => bytes],
])("pages are compressed for a client that takes %s", async (accepted, encoding, unpack) => {
  const path = await script("/owner");
  const { headers, body } = await get(path, { "accept-encoding": accepted });
  expect([headers["content-encoding"], headers.vary]).toEqual([encoding, "accept-encoding"]);
  const whole = readFileSync(join(folder, "web", path));
  expect(unpack(body).equals(whole)).toBe(true);
  if (encoding !== undefined) expect(body.length).toBeLessThan(whole.length / 2);
});

it("pages are compressed once, by the build: what is sent is what lies in the zip", async () => {
  const path = await script("/kitchen");
  const { body } = await get(path, { "accept-encoding": "br" });
  expect(body.equals(Buffer.from(unzipSync(zip)[`web${path}.br`] as Uint8Array))).toBe(true);
});

it.each(["/", "/board"])("pages are not sent again while they are the same: %s", async (path) => {
  const { etag = "" } = (await get(path)).headers;
  const same = await get(path, { "if-none-match": `W/"other", ${etag}` });
  expect([same.status, same.body.length, same.headers.etag]).toEqual([304, 0, etag]);
  expect((await get(path, { "if-none-match": '"other"' })).status).toBe(200);
});

it.each(["/assets/other.js", "/assets/..%2fpages.js", "/nothing", "/functions/pages.js", "/owner.html.br"])(
  "pages are not served at %s",
  async (path) => {
    const { status, body } = await get(path);
    expect([status, JSON.parse(body.toString()).code]).toEqual([404, "ROUTE_UNKNOWN"]);
  },
);

describe("a picture", () => {
  const path = "noodle-house/AAAAAAAAAAAAAAAAAAAAAA.webp";

  it("is shown by an address that is signed for it alone and lives longer than it is kept", async () => {
    const { status, headers } = await get(`/pictures/${path}`);
    expect(status).toBe(302);
    const url = new URL(headers.location ?? "");
    expect(url.origin + url.pathname).toBe(`${pictures}/pictures/${path}`);
    const query = Object.fromEntries(url.searchParams);
    expect(query).toMatchObject({
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Security-Token": "a-token",
      "X-Amz-Signature": expect.stringMatching(/^[0-9a-f]{64}$/),
      "X-Amz-Credential": expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/us-east-1\/s3\/aws4_request$/),
    });
    const [, seconds] = /^public, max-age=(\d+)$/.exec(headers["cache-control"] ?? "") ?? [];
    const [, y, mo, d, h, mi, s] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(query["X-Amz-Date"] ?? "") ?? [];
    const signedAt = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
    // Signed for a quarter of an hour at a time, for two of them.
    expect(signedAt % (15 * 60_000)).toBe(0);
    const endsAt = signedAt + Number(query["X-Amz-Expires"]) * 1_000;
    expect(endsAt - Date.now()).toBeGreaterThan(Number(seconds) * 1_000);
    expect(headers.location).not.toContain(keys.AWS_SECRET_ACCESS_KEY);
  });

  it.each([
    "noodle-house/menu.html",
    "noodle-house/AAAAAAAAAAAAAAAAAAAAAA.svg",
    "noodle-house/short.png",
    "..%2f..%2fsecret/AAAAAAAAAAAAAAAAAAAAAA.png",
  ])("is not stored under a name that we have not given: %s", async (name) => {
    const { status, headers } = await get(`/pictures/${name}`);
    expect([status, headers.location]).toEqual([404, undefined]);
  });

  it("is shown by one function, which may do nothing else; files are reached by few others, below two folders", () => {
    const laid = laidOut("url");
    const s3 = (name: string) =>
      laid.get(name)?.actions.flatMap(({ action, on }) => (action.startsWith("s3:") ? [[action, JSON.parse(on)]] : []));
    const below = (folder: string) => ({ "Fn::Sub": `\${PictureBucket.Arn}/${folder}/*` });
    expect(s3("pages")).toEqual([["s3:GetObject", below("pictures")]]);
    const folders = [below("files"), below("incoming")];
    expect(s3("files")).toEqual([
      ["s3:GetObject", folders],
      ["s3:PutObject", folders],
      ["s3:DeleteObject", folders],
      ["s3:ListMultipartUploadParts", folders],
      ["s3:AbortMultipartUpload", folders],
      ["s3:ListBucket", { "Fn::GetAtt": ["PictureBucket", "Arn"] }],
    ]);
    const withFiles = [...laid.keys()].filter((name) => s3(name)?.length !== 0 && name !== "pages");
    for (const name of withFiles.filter((one) => one !== "picture"))
      expect([name, s3(name)]).toEqual([name, s3("files")]);
    for (const name of ["bill", "order", "login", "ws_transmit", "fan_out"]) expect(withFiles).not.toContain(name);
  });
});

it("pages leave nothing pending, and load no more than their own file", () => {
  expect(lambda.pending).toEqual([]);
  for (const one of lambda.environments.filter(({ name }) => name === "pages"))
    expect(one.loaded).toEqual(["functions/pages.js"]);
});

it("pages lie whole in the zip, and the function may run many times over", () => {
  const files = Object.keys(unzipSync(zip));
  expect(files).toEqual(expect.arrayContaining(["functions/pages.js", "web/index.html", "web/owner.html"]));
  expect(statSync(join(folder, "zips/pages.zip")).size).toBeLessThan(1_024 * 1_024);
});

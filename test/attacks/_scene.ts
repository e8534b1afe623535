/** The scene of every attack: a shop with people of every kind, a right request for every route, and a digest of all stored rows. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxiosInstance } from "axios";
import type { Database, Row } from "../../db/database.ts";
import { migrations } from "../../db/migrate.ts";
import { raw, sql } from "../../db/sql.ts";
import { readStale } from "../../db/streams.ts";
import type { Json, Operation } from "../../scripts/read_api.ts";
import { codeFor, storageCodeFor } from "../../shared/cloudbase/refusal.ts";
import { AppError, type Code, codes } from "../../shared/errors.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { newApiKey, scopes } from "../../shared/sessions/api_key.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { editMenu } from "../../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../../shared/shop/open_shop.ts";
import { refreshStale } from "../../shared/shop/public_state.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { readLaw } from "../_contract.ts";
import type { Engine } from "../_engines.ts";
import {
  type Answer,
  type House,
  type HouseOptions,
  type HttpOptions,
  newKey,
  openHouse,
  type Person,
  testMenu,
  testSettings,
} from "../_house.ts";
import { makeIssuer, tokenSettings } from "../_issuer.ts";
import { type MemoryStore, memoryStore } from "../_memory_store.ts";

export const { api } = readLaw();
/** The gateway's own: it reads nothing of a request, so nothing of it can be wrong. */
export const readsNothing = "GET /healthz";
export const operations = api.operations.filter(({ key }) => key !== readsNothing);
export const operationOf = (key: string) => operations.find((one) => one.key === key) as Operation;

/** Of the house's own users. */
const issuer = makeIssuer();

export const formType = { "content-type": "application/x-www-form-urlencoded" };
export const nobody = "01M7Y5YCX0DV05B7NH4DVY729V";

export interface Scene {
  readonly house: House;
  readonly customer: Person;
  readonly other: Person;
  readonly owner: Person;
  readonly cashier: Person;
  readonly kitchen: Person;
  /** Staff of another shop. */
  readonly neighbour: Person;
  /** Of another back end, with every scope. */
  readonly key: string;
  /** What stands in the paths of right requests. */
  readonly at: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Nothing goes on by itself in it, so whatever is written was written by a request. */
export async function openScene(engine: Engine, { environment, ...more }: Partial<HouseOptions> = {}): Promise<Scene> {
  const session = { openid: "openid-of-one", session_key: Buffer.alloc(16).toString("base64") };
  const store = memoryStore();
  const pictures = await mkdtemp(join(tmpdir(), "orderbell-pictures-"));
  const house = await openHouse(engine, {
    pictures,
    store,
    tickMs: 3_600_000,
    lookMs: 3_600_000,
    environment: {
      GUEST_SESSIONS_PER_HOUR: "100000",
      COALESCE_MS: "0",
      COLLECTION_ADMINS: "noodle-house",
      EXAMPLES: "on",
      ...tokenSettings(issuer.pem),
      ...environment,
    },
    wechat: makeWechat({ get: async () => ({ data: session }) } as unknown as AxiosInstance),
    config: { collections: parseCollections("notes: { permission: PRIVATE, indexes: [stars] }").collections },
    ...more,
  });
  await addWechatApp(house.app, { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" });
  await newShop(house, "next-door");
  const [customer, other] = [await house.guest(), await house.guest()];
  const [owner, cashier, kitchen] = [await house.staff("owner"), await house.staff("cashier"), await house.staff()];
  const neighbour = await house.staff("owner", "next-door");
  const { key } = await newApiKey(house.app, "another back end", scopes, null);
  const { order } = (await customer.order()).body;
  const { room, grant } = (await customer.http("POST", "/rooms")).body;
  const { game } = (await customer.http("POST", "/games")).body;
  // Its second player, or whoever looks for a game next would be it.
  await (await house.guest()).http("POST", "/games");
  const one = { instance: "(default)", database: "(default)" };
  const root = `/v1/database/instances/${one.instance}/databases/${one.database}`;
  const note = { data: [{ title: "买茶叶", stars: 5 }] };
  const document = (await customer.http("POST", `${root}/collections/notes/documents`, { body: note })).body
    .insertedIds[0];
  const transaction = (await customer.http("POST", `${root}/transactions`)).body.transactionId;
  const [file, shown] = [await newFile(house, customer, "private"), await newFile(house, customer, "unlisted")];
  const [ticket, address] = await newCloudFile(customer, cloudPath);
  await quiet(house);
  const at = { shop: house.shop, id: order.id, action: "accept", line: "1", dish: "bun", table: house.table };
  return {
    house,
    customer,
    other,
    owner,
    cashier,
    kitchen,
    neighbour,
    key,
    at: {
      ...at,
      device: kitchen.session,
      room: room.id,
      grant,
      game: game.id,
      ...one,
      collection: "notes",
      document,
      transaction,
      file,
      shown,
      name: "content",
      ticket,
      address,
    },
    async close() {
      await house.close();
      await rm(pictures, { recursive: true });
    },
  };
}

export async function newShop(house: House, id: string, menu = testMenu): Promise<void> {
  const names = { zh: "小店" };
  await createShop(house.app, { id, names, zone: "Asia/Shanghai", rolloverMinutes: 240, settings: testSettings() });
  await editMenu(house.app, { actor: null, shop: id, action: "menu.import", edit: () => ({ menu }) });
  await openShop(house.app, null, id, true);
}

/** A file that was sent in one part, for the house's shop. @returns its id */
export async function newFile(house: House, who: Person, visibility: "private" | "unlisted"): Promise<string> {
  const asked = {
    purpose: "file",
    name: "a.txt",
    type: "text/plain",
    bytes: 5,
    by: "parts",
    visibility,
    shop: house.shop,
  };
  const { id } = (await who.http("POST", "/files", { body: asked })).body.file;
  const signed = await who.http("POST", `/files/${id}/parts`, { body: { parts: [1] } });
  (house.app.store as MemoryStore).send(signed.body.uploads[0].url, Buffer.from("hello"));
  if ((await who.http("POST", `/files/${id}/complete`)).status !== 200) throw new Error("a file was not completed");
  return id;
}

/** What the examples of CloudBase's clients name. */
const cloudPath = "avatars/1.png";
export const cloudId = (path: string) => `cloud://orderbell.files/${path}`;

/** A file as CloudBase's client uploads it. @returns where it was sent, and where it is fetched, without what stands around */
export async function newCloudFile({ http }: Person, path: string): Promise<[ticket: string, address: string]> {
  const act = async (action: string, more: object) =>
    (await http("POST", "/web", { body: { action: `storage.${action}`, ...more } })).body.data;
  const { pathname } = new URL((await act("getUploadMetadata", { path })).url);
  if ((await http("PUT", pathname, { raw: "hello" })).status !== 200) throw new Error("a file was not stored");
  const { download_list: list } = await act("batchGetDownloadUrl", { file_list: [{ fileid: cloudId(path) }] });
  return [pathname.split("/").at(-1) ?? "", new URL(list[0].download_url).pathname.split("/").at(-2) ?? ""];
}

// --- Right requests ------------------------------------------------------------------------------------------------

export interface Right {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly raw?: string | Uint8Array;
  readonly token?: string | undefined;
  readonly method?: string;
  /** Instead of the route's own with `path` filled in. */
  readonly url?: string;
}

/** A request that succeeds, with one of the bodies that openapi.yaml shows. */
export function rightRequest(scene: Scene, to: Operation, example = 0): Right {
  const { at } = scene;
  const [type = ""] = Object.keys(to.body);
  const shown = to.body[type]?.examples[example]?.[1];
  const headers: Record<string, string> = {};
  if (to.parameters.some(({ name }) => name === "Idempotency-Key")) headers["idempotency-key"] = newKey();
  if (to.key === "PUT /shops/{shop}/dishes/{dish}/stock") headers["if-match"] = '"50.0"';
  if (isByGrant(to)) headers["x-grant"] = at.grant as string;
  if (/^GET \/login|\/weapp\/login/.test(to.key)) headers["x-wx-code"] = newKey();
  if (type.endsWith("form-urlencoded")) Object.assign(headers, formType);
  if (type === "multipart/form-data") headers["content-type"] = `${type}; boundary=line`;
  return {
    path: pathOf(scene, to),
    query: queryOf(scene, to),
    headers,
    token: tokenFor(scene, to),
    ...(type === ""
      ? {}
      : type.endsWith("json")
        ? { body: own(scene, to, shown as Json) }
        : { raw: type === "multipart/form-data" ? oneFile : `token=${scene.customer.token}` }),
  };
}

function pathOf({ at }: Scene, { path }: Operation): Record<string, string> {
  if (path === "/files/{id}/{name}") return { ...at, id: at.shown as string };
  return path.startsWith("/files/") ? { ...at, id: at.file as string } : at;
}

const oneFile = '--line\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--line--\r\n';

const isByGrant = ({ key }: Operation) => /^GET \/rooms\//.test(key);

function queryOf({ at }: Scene, { key }: Operation): Record<string, string> {
  if (key === "GET /get_shop_info") return { shop: at.shop as string, table: at.table as string };
  if (key === "GET /files") return { shop: at.shop as string, purpose: "film" };
  return key === "GET /events" ? { stream: `menu:${at.shop}` } : {};
}

/** What the examples leave out, so that there is a right value of every member to spoil. */
const many = 1_000;
const furtherSettings = {
  refuseWhenOffline: false,
  limits: { perSession: many, perTable: many, perAddress: many, perShop: many },
  notice: { zh: "今天有饺子", en: "Dumplings today" },
};
const furtherDish = {
  description: { zh: "现包", en: "Made here" },
  picture: "dishes/bun.webp",
  packingFen: 100,
  available: true,
  station: "hot",
  options: [
    {
      id: "size",
      names: { zh: "大小", en: "Size" },
      min: 0,
      max: 1,
      choices: [{ id: "large", names: { zh: "大", en: "large" }, priceFen: 100, available: true }],
    },
  ],
};

/** The example with what exists in this house in place of what exists in the document. */
function own({ at, customer }: Scene, { key }: Operation, shown: Json): Json {
  const body = shown as Record<string, Json>;
  if (key.startsWith("POST /mina_auth")) return waferLogin(newKey());
  if (key === "POST /auth/v1/token") return { ...body, refresh_token: customer.token };
  if (key === "POST /login/token") return { token: issuer.sign() };
  if (key === "POST /login") return { ...body, code: newKey() };
  if (key.endsWith("upload-info")) return [{ ...(shown as object[])[0], objectId: "avatars/2.png" }];
  if (key === "POST /rooms/{room}/messages") return { ...body, id: newKey() };
  if (key === "POST /bill" && "table" in body) return { ...body, table: at.table as string };
  if (key === "POST /notify" && "user" in body) return { ...body, user: customer.user, order: at.id as string };
  if (key === "PUT /shops/{shop}/settings")
    return { ...body, settings: { ...(body.settings as object), ...furtherSettings } };
  if (key === "PUT /shops/{shop}/dishes/{dish}") return { ...body, ...furtherDish };
  if (key === "POST /shops/{shop}/tables") return { labels: [newKey(), newKey()] };
  return body;
}

const waferLogin = (code: string): Json => ({
  interface: { interfaceName: "qcloud.cam.id_skey", para: { code, encrypt_data: "AAAA", iv: "AAAA" } },
});

function tokenFor({ key, owner, customer }: Scene, { key: route, path }: Operation): string | undefined {
  if (/^POST \/(introspect|mina_auth|.*\/messages$)/.test(route)) return key;
  if (/^\/(login|weapp|get_shop_info|events|auth\/v1\/(signin|token|revoke))|\/board$/.test(path)) return undefined;
  // Anybody may have the addresses of files that are not private.
  if (/^\/v1\/storages\/(objects|get-objects-download)/.test(path)) return undefined;
  if (route === "GET /files" || path === "/files/{id}/{name}") return undefined;
  return /^\/(shops|orders\/|notify|collections)/.test(path) ? owner.token : customer.token;
}

export function send({ house }: Scene, to: Operation, right: Right): Promise<Answer> {
  const { path, query, headers, body, raw: bytes, token, method = to.method } = right;
  const filled = to.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name] ?? ""));
  const asked = new URLSearchParams(query).toString();
  const options: HttpOptions = {
    token,
    headers,
    ...(bytes !== undefined ? { raw: bytes } : body === undefined ? {} : { body }),
  };
  return house.http(method, right.url ?? filled + (asked === "" ? "" : `?${asked}`), options);
}

/** The code as orderbell has it, of one in the words of CloudBase's clients. */
const ourCode = new Map(
  codes.toReversed().flatMap((code) => [codeFor(code), storageCodeFor(code)].map((one) => [one, code])),
);

/** What the answer, or the first of its list, or its XML says. */
export function toldIn({ body, text }: Answer): string | undefined {
  if (body === undefined) return /<Code>(\w+)<\/Code>/.exec(text)?.[1];
  return Array.isArray(body) ? body[0]?.code : body?.code;
}

/** `400 INVALID_INPUT`: a refusal in orderbell's words, also where the route is for CloudBase's clients. */
export function refusalIn(answer: Answer): string {
  const { status } = answer;
  const told = toldIn(answer);
  const code = told === undefined ? "bare" : (ourCode.get(told) ?? told);
  // `POST /web` says it with the status 200.
  return `${status === 200 && told !== undefined ? new AppError(code as Code, "").status : status} ${code}`;
}

/** Whether the answer is no refusal. */
export const isServed = (answer: Answer) => answer.status < 400 && typeof toldIn(answer) !== "string";

// --- What is stored ------------------------------------------------------------------------------------------------

const words = {
  id: "",
  key: "",
  text: "",
  bigint: "",
  integer: "",
  flag: "",
  table: "",
  hotTable: "",
  functions: false,
};
export const tables = migrations
  .flatMap(({ statements }) => statements(words))
  .flatMap((statement) => /^\s*CREATE TABLE (\w+)/.exec(statement)?.[1] ?? []);

/** Every row of every table, all of one moment. */
export async function everything(db: Database): Promise<Map<string, Row[]>> {
  const rows = await db.read(tables.map((table) => sql`SELECT * FROM ${raw(table)}`));
  return new Map(tables.map((table, at) => [table, rows[at] ?? []]));
}

/** One line per table: what differs between two of them was written in between. Nothing is left out. */
export async function digest(db: Database, except: readonly string[] = []): Promise<string[]> {
  const sums = db.dialect.name === "postgres" ? await summedByDatabase(db) : await summedHere(db);
  return sums
    .filter(({ table }) => !except.includes(table))
    .map(({ table, count, hash }) => `${table}: ${count} rows, ${hash}`);
}

type Sum = Row & { table: string };

/** Reading every row into PGlite's JavaScript costs ten times what the attack itself does. */
const sumOfTable = (table: string) =>
  `SELECT '${table}' AS "table", count(*)::int AS count, md5(coalesce(string_agg(line, '' ORDER BY line), '')) AS hash
    FROM (SELECT md5(one::text) AS line FROM ${table} one) AS lines`;
/** In an order: PostgreSQL may read the tables beside each other. */
const sumOfAll = raw(`${tables.map(sumOfTable).join("\nUNION ALL ")}\nORDER BY 1`);

async function summedByDatabase(db: Database): Promise<Sum[]> {
  const [rows = []] = await db.read([sql`${sumOfAll}`]);
  return rows as Sum[];
}

async function summedHere(db: Database): Promise<Sum[]> {
  return [...(await everything(db))].map(([table, rows]) => {
    const lines = rows.map((row) => JSON.stringify(row)).toSorted();
    return { table, count: lines.length, hash: createHash("sha256").update(lines.join("\n")).digest("base64url") };
  });
}

/** Lets the public streams catch up with what was written before; else they do so later, in the middle of an attack. */
export async function quiet({ db, app }: House): Promise<void> {
  while ((await db.read([readStale()]))[0]?.length !== 0) await refreshStale(app);
}

/** Waits for exactly that many stored connections: a close is stored in the background. */
export async function connected({ db, app }: House, count: number): Promise<void> {
  while ((await db.read([sql`SELECT id FROM connections`]))[0]?.length !== count) await app.clock.sleep(5);
}

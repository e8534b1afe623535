/** Files: places for them, their completion, lists, addresses, and their removal. */
import * as v from "valibot";
import { created, type HttpAnswer, type HttpRequest, http, noContent, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { iso } from "../shared/day.ts";
import { InvalidInput } from "../shared/errors.ts";
import { complete } from "../shared/files/complete.ts";
import { type File, fileView, ways } from "../shared/files/file.ts";
import { disposition, fileName } from "../shared/files/names.ts";
import { makePlace, signParts } from "../shared/files/place.ts";
import { type Address, findFile, listFiles, openFile, serveFile } from "../shared/files/read.ts";
import { endFiles } from "../shared/files/remove.ts";
import { mustOwn } from "../shared/files/rights.ts";
import { visibilities } from "../shared/purpose.ts";
import type { Session } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { signedIn } from "./_signed_in.ts";

const maxAboutBytes = 1_024;
const about = v.pipe(
  v.unknown(),
  // A record leaves it out instead of refusing it.
  v.check((value) => typeof value !== "object" || value === null || !Object.hasOwn(value, "__proto__"), "known names"),
  v.record(
    v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "names of letters a to z, digits and _")),
    v.union([v.string(), v.pipe(v.number(), v.finite()), v.boolean()], "a text, a number, true or false"),
  ),
  v.check(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= maxAboutBytes,
    `at most ${maxAboutBytes} bytes as JSON`,
  ),
);

const place = v.strictObject({
  purpose: shape.id,
  name: fileName,
  type: v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,200}$/, "a media type")),
  bytes: shape.integer(1, Number.MAX_SAFE_INTEGER),
  visibility: v.optional(v.picklist(visibilities)),
  by: v.optional(v.picklist(ways)),
  shop: v.optional(shape.id),
  of: v.optional(shape.ulid),
  about: v.optional(about),
});

const partList = v.strictObject({
  parts: v.pipe(v.array(shape.integer(1, 10_000)), v.maxLength(100, "at most 100 parts")),
});

/** Files of one page. */
const page = 50;
const maxPage = 100;

/** Redirects are cached for less than an address is valid. */
const maxAgeSec = 600;

/** The caller, where a file may be everybody's. */
const mayBeSignedIn = async (app: App, request: HttpRequest): Promise<Session | undefined> =>
  request.authorization === undefined ? undefined : signedIn(app, request, "menu:write");

const idIn = (request: HttpRequest): string => {
  const id = request.param("id", shape.ulid);
  request.notes.file = id;
  return id;
};

async function ownFile(app: App, request: HttpRequest): Promise<File> {
  const session = await signedIn(app, request, "menu:write");
  const file = await findFile(app, session, idIn(request));
  mustOwn(session, file);
  return file;
}

const addressView = ({ url, expiresAt }: Address) => ({ url, expiresAt: iso(expiresAt) });

const leadTo = ({ url }: Address): HttpAnswer => ({
  status: 302,
  headers: { location: url, "cache-control": `public, max-age=${maxAgeSec}` },
});

/** A browser does not take it for a page, whatever is in it. */
const playlist = (body: Uint8Array, { type, name }: File): HttpAnswer => ({
  status: 200,
  headers: {
    "content-type": type,
    "content-disposition": disposition("inline", name),
    "content-security-policy": "default-src 'none'; sandbox",
    "cache-control": `public, max-age=${maxAgeSec}`,
  },
  body,
});

export const handler = http({
  "POST /files": async (app, request) => {
    const session = await signedIn(app, request, "menu:write");
    const { file, upload } = await makePlace(app, session, shape.parse(place, request.json()), request.address);
    request.notes.file = file.id;
    return created({ file: fileView(file), upload });
  },
  "POST /files/{id}/parts": async (app, request) => {
    const file = await ownFile(app, request);
    const { parts } = shape.parse(partList, request.json());
    return ok(await signParts(app, file, parts));
  },
  "POST /files/{id}/complete": async (app, request) =>
    ok({ file: fileView(await complete(app, await ownFile(app, request))) }),
  "GET /files": async (app, request) => {
    const [purpose, shop] = [request.query("purpose", shape.id), request.query("shop", shape.id)];
    const [of, before] = [request.query("of", shape.ulid), request.query("before", shape.ulid)];
    const limit = request.query("limit", shape.digits(1, maxPage)) ?? page;
    if (shop !== undefined && purpose === undefined)
      throw new InvalidInput("purpose", "is missing; a shop's files are listed by it");
    const session = shop === undefined ? await signedIn(app, request, "menu:write") : await mayBeSignedIn(app, request);
    const { files, more } = await listFiles(app, session, { purpose, shop, of, before, limit });
    return ok({ files: files.map(fileView), more });
  },
  "GET /files/{id}": async (app, request) => {
    const { file, address } = await openFile(app, await mayBeSignedIn(app, request), idIn(request));
    return ok({ file: fileView(file), address: address === null ? null : addressView(address) });
  },
  "GET /files/{id}/{name}": async (app, request) => {
    const served = await serveFile(app, idIn(request), request.param("name", fileName));
    return "address" in served ? leadTo(served.address) : playlist(served.playlist, served.file);
  },
  "DELETE /files/{id}": async (app, request) => {
    await endFiles(app, await ownFile(app, request));
    return noContent;
  },
});

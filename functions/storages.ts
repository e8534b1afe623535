/**
 * Files for CloudBase's clients: the REST dialect of 3.x below `/v1/storages`, and the addresses at which the clients of every release
 * store and fetch bytes. The action dialect is in functions/collections.ts.
 */
import * as v from "valibot";
import { type HttpAnswer, type HttpRequest, http, type Route } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { authorOf, sessionFor } from "../shared/cloudbase/author.ts";
import { cloudPath } from "../shared/cloudbase/cloud_path.ts";
import { openPutTicket } from "../shared/cloudbase/object_ticket.ts";
import { type Refusal, storageRefusalOf } from "../shared/cloudbase/refusal.ts";
import { addressesOf, maxList, type Outcome, openObject, removeObjects } from "../shared/cloudbase/stored_objects.ts";
import { offerUpload, receiveObject } from "../shared/cloudbase/upload_object.ts";
import { AppError, InvalidInput, NotSupported } from "../shared/errors.ts";
import { maxFormBytes, maxObjectBytes } from "../shared/large_bodies.ts";
import { waitHeaders } from "../shared/rate_limit.ts";
import * as shape from "../shared/shape.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { restRoute, type Serve } from "./_rest_route.ts";

// --- Lists ---------------------------------------------------------------------------------------------------------

const rest = (serve: Serve): Route => restRoute(storageRefusalOf, serve);

const listOf = <S extends v.GenericSchema>(one: S) =>
  v.pipe(v.array(one), v.minLength(1, "at least one file"), v.maxLength(maxList, `at most ${maxList} files`));
const ids = listOf(v.object({ cloudObjectId: v.pipe(v.string(), v.maxLength(2_000, "an id of a file")) }));
const headers = v.nullish(v.record(v.string(), v.unknown()), {});
const uploads = listOf(v.object({ objectId: v.string(), signedHeader: headers }));
const values = v.pipe(v.array(v.pipe(v.string(), v.maxLength(1_000, "a header"))), v.minLength(1, "a header"));

/** A header that the client will send with the file. @throws InvalidInput */
function headerOf(signed: v.InferOutput<typeof headers>, name: string): string | undefined {
  const found = Object.entries(signed ?? {}).find(([key]) => key.toLowerCase() === name);
  return found === undefined ? undefined : shape.parse(values, found[1], name)[0];
}

const mediaType = v.pipe(v.string(), v.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[ -~]*)?$/, "a media type"));
const byteCount = v.pipe(v.string(), v.regex(/^\d{1,15}$/, "a number of bytes"), v.transform(Number));

const offers = rest(async (app, request, caller) => {
  const list = shape.parse(uploads, request.json());
  const session = await sessionFor(app, caller);
  const { isAdmin } = authorOf(caller);
  return each(list, async ({ objectId, signedHeader }) => {
    const path = shape.parse(cloudPath, objectId, "objectId");
    const [type, length] = ["content-type", "content-length"].map((name) => headerOf(signedHeader, name));
    const { url, fileId, downloadUrl } = await offerUpload(app, {
      ...{ session, isAdmin, path, origin: request.origin, address: request.address },
      type: type === undefined ? "" : shape.parse(mediaType, type, "content-type"),
      bytes: length === undefined ? undefined : shape.parse(byteCount, length, "content-length"),
    });
    const told = { uploadUrl: url, downloadUrl, downloadUrlEncoded: encodeURI(downloadUrl) };
    // The clients send these three in headers; the address alone says it all.
    return { objectId, cloudObjectId: fileId, ...told, authorization: "-", token: "-", cloudObjectMeta: "-" };
  });
});

/** Each has its own outcome: what is refused, is refused for one. */
async function each<T extends { readonly objectId: string }>(list: readonly T[], run: (one: T) => Promise<object>) {
  const outcomes: object[] = [];
  for (const one of list)
    try {
      outcomes.push(await run(one));
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      outcomes.push({ objectId: one.objectId, ...storageRefusalOf(error) });
    }
  return outcomes;
}

const told = <T>(outcomes: readonly Outcome<T>[], say: (one: T) => object) =>
  outcomes.map(({ fileId, refusal, ...rest }) => ({
    cloudObjectId: fileId,
    ...((refusal as Refusal | undefined) ?? say(rest as T)),
  }));

const addresses = rest(async (app, request, caller) => {
  const wanted = shape.parse(ids, request.json()).map(({ cloudObjectId: fileId }) => ({ fileId }));
  const outcomes = await addressesOf(app, authorOf(caller), request.origin, wanted);
  return told(outcomes, ({ url }) => ({ downloadUrl: url, downloadUrlEncoded: encodeURI(url) }));
});

const removal = rest(async (app, request, caller) => {
  const wanted = shape.parse(ids, request.json()).map(({ cloudObjectId }) => cloudObjectId);
  return told(await removeObjects(app, authorOf(caller), wanted), () => ({}));
});

const copied = v.pipe(v.string(), v.maxLength(2_000, "a path"));
const copies = listOf(v.object({ srcPath: copied, dstPath: copied }));
const copying = rest(async (_, request) =>
  shape.parse(copies, request.json()).map(({ dstPath }) => ({
    cloudObjectId: dstPath,
    ...storageRefusalOf(new NotSupported("copyFile")),
  })),
);

// --- Bytes ---------------------------------------------------------------------------------------------------------

const signed = v.pipe(
  v.string(),
  v.maxLength(6_000, "a signed address"),
  v.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/, "a signed address"),
);
const ticketIn = (request: HttpRequest) => request.param("ticket", signed);

/** Errors are XML, as those of the vendor's storage are: the clients show their apps the text of an answer, and no member of JSON. */
const storing =
  (serve: (app: App, request: HttpRequest) => Promise<HttpAnswer>): Route =>
  async (app, request) => {
    try {
      return await serve(app, request);
    } catch (error) {
      const refused = toAppError(app, error);
      request.notes.code = refused.code;
      const { code, message } = storageRefusalOf(refused);
      const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>\n`;
      const type = { "content-type": "application/xml; charset=utf-8" };
      return { status: refused.status, headers: { ...type, ...waitHeaders(refused) }, body };
    }
  };

const escaped = (text: string) => text.replace(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;" })[sign] ?? "&amp;");

const put = storing(async (app, request) => {
  const claims = openPutTicket(app, ticketIn(request));
  const declared = request.header("content-type") ?? "";
  await receiveObject(app, claims, { body: request.bytes(maxObjectBytes), declared, address: request.address });
  return { status: 200 };
});

/** As 1.x, and every mini-program, send it: the file's field is `file`. */
const form = storing(async (app, request) => {
  const claims = openPutTicket(app, ticketIn(request));
  const fields = await fieldsOf(request);
  const file = fields.get("file");
  if (!(file instanceof Blob)) throw new InvalidInput("file", "is missing; expected a file");
  const body = new Uint8Array(await file.arrayBuffer());
  await receiveObject(app, claims, { body, declared: file.type, address: request.address });
  // With 200 the mini-program's client looks for fields that it has not always sent.
  return { status: fields.get("success_action_status") === "201" ? 201 : 204 };
});

/** @throws BodyTooLarge, InvalidInput */
async function fieldsOf(request: HttpRequest): Promise<FormData> {
  const body = request.bytes(maxFormBytes);
  const type = request.header("content-type") ?? "";
  try {
    return await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  } catch (error) {
    throw new InvalidInput(
      "",
      error instanceof TypeError ? "expected a form: multipart/form-data" : "the form is broken",
    );
  }
}

const opened = async (app: App, request: HttpRequest) => openObject(app, request.param("address", signed));
/** A file may be replaced at any time: nobody keeps where it was. */
const cacheOf = (isPrivate: boolean) => ({ "cache-control": isPrivate ? "no-store" : "no-cache" });

const get: Route = async (app, request) => {
  const { url, isPrivate } = await opened(app, request);
  return { status: 302, headers: { location: url, ...cacheOf(isPrivate) } };
};

/** What the storage would say: a signed address is for GET alone. */
const head: Route = async (app, request) => {
  const { bytes, type, etag, storedAt, isPrivate } = await opened(app, request);
  const described = { "content-type": type, "content-length": String(bytes), etag, ...cacheOf(isPrivate) };
  return { status: 200, headers: { ...described, "last-modified": new Date(storedAt).toUTCString() } };
};

export const handler = http({
  "POST /v1/storages/get-objects-upload-info": offers,
  "POST /v1/storages/get-objects-download-info": addresses,
  "POST /v1/storages/delete-objects": removal,
  "POST /v1/storages/copy-objects": copying,
  "PUT /v1/storages/objects/{ticket}": put,
  "POST /v1/storages/objects/{ticket}": form,
  "GET /v1/storages/objects/{address}/{name}": get,
  "HEAD /v1/storages/objects/{address}/{name}": head,
});

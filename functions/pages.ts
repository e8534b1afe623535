/** Serves the pages with their assets, and the dishes' pictures. Only clouds call it. */
import { http, type Route } from "../apigateway/entry.ts";
import { RouteUnknown } from "../shared/errors.ts";
import { typeOfPicture } from "../shared/old_pictures.ts";

const page: Route = async (app, request) => {
  const { rawPath } = request.event;
  const acceptEncoding = request.header("accept-encoding");
  const found = app.pages.find(rawPath, { acceptEncoding, ifNoneMatch: request.header("if-none-match") });
  if (found === undefined) throw new RouteUnknown("GET", rawPath);
  return found;
};

const prefix = "/pictures/";

export const handler = http({
  "GET /": page,
  "GET /kitchen": page,
  "GET /board": page,
  "GET /owner": page,
  "GET /docs": page,
  "GET /errors": page,
  "GET /assets/{file}": page,
  "GET /pictures/{shop}/{file}": async (app, request) => {
    const { rawPath } = request.event;
    const path = rawPath.slice(prefix.length);
    // Only names that we have made: no other object of the bucket is signed.
    if (typeOfPicture(path) === undefined) throw new RouteUnknown("GET", rawPath);
    const { url, maxAgeSec } = await app.pages.picture(path);
    return { status: 302, headers: { location: url, "cache-control": `public, max-age=${maxAgeSec}` } };
  },
});

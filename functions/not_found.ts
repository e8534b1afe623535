/** Answers requests that no other route takes. */
import { http, noContent } from "../apigateway/entry.ts";
import { RouteUnknown, UpgradeRequired } from "../shared/errors.ts";

export const handler = http({
  async $default(_, request) {
    const { method } = request.event.requestContext.http;
    // API Gateway sends the preflight of a page's request here, because $default takes every method; it adds the
    // headers of `provider.httpApi.cors` itself, and a browser wants a good status beside them.
    if (method === "OPTIONS" && request.header("access-control-request-method") !== undefined) return noContent;
    if (request.event.rawPath === "/pgws") throw new UpgradeRequired();
    throw new RouteUnknown(method, request.event.rawPath);
  },
});

/** Whatever no other route takes. */
import { http, noContent } from "../apigateway/entry.ts";
import { RouteUnknown } from "../shared/errors.ts";
import { handlerOf } from "./_app.ts";

export const notFound = http({
  async $default(_, request) {
    const { method } = request.event.requestContext.http;
    // API Gateway sends the question before a page's request here, because $default takes every method; it adds the
    // headers of `provider.httpApi.cors` itself, and a browser wants a good status beside them.
    if (method === "OPTIONS" && request.header("access-control-request-method") !== undefined) return noContent;
    throw new RouteUnknown(method, request.event.rawPath);
  },
});

export const handler = handlerOf(notFound);

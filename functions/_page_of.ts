/** The part of a list of orders that a request asks for. */
import type { HttpRequest } from "../apigateway/entry.ts";
import * as shape from "../shared/shape.ts";
import { maxOrders, type Page } from "../shared/shop/snapshots.ts";

/** @throws InvalidInput */
export const pageOf = (request: HttpRequest): Page => ({
  before: request.query("before", shape.ulid),
  limit: request.query("limit", shape.digits(1, maxOrders)),
});

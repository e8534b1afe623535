/** Whatever was thrown → what the caller is told. */
import { ConnectionLost, FlightLost } from "../db/database.ts";
import type { App } from "./app.ts";
import { AppError, DatabaseAway, Internal } from "./errors.ts";

/** Ours as it is; a database that is away by that name; anything else is logged whole and told as INTERNAL. */
export function refusalOf({ log }: Pick<App, "log">, error: unknown): AppError {
  if (error instanceof AppError) {
    if (error.status >= 500) log.error("failure", { code: error.code }, error);
    return error;
  }
  if (error instanceof ConnectionLost || error instanceof FlightLost) {
    log.error("database.away", {}, error);
    return new DatabaseAway(error);
  }
  log.error("failure", { code: "INTERNAL" }, error);
  return new Internal(error);
}

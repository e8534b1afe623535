/** Turns anything thrown into an AppError for the caller, and logs it. */
import { type Condition, conditionOf, DatabaseUnwell } from "../db/conditions.ts";
import { ConnectionLost, FlightLost } from "../db/database.ts";
import type { App } from "./app.ts";
import { AppError, DatabaseAway, Internal } from "./errors.ts";

/** Hints for the operator. */
const hints: Readonly<Record<Condition, string>> = {
  full: "no room on the disk: nothing can be stored until some is made",
  memory: "the database has no memory left for this statement",
  connections: "no connection is free: see DATABASE_CONNECTIONS and the database's own limit",
  slow: "a statement took too long and was ended",
  readOnly: "this server takes no writes: another one leads now, or somebody has locked it",
};

/** An AppError stays as it is; a database failure becomes DATABASE_AWAY; anything else is logged and becomes INTERNAL. */
export function toAppError({ log }: Pick<App, "log">, error: unknown): AppError {
  if (error instanceof AppError) {
    if (error.status >= 500) log.error("failure", { code: error.code }, error);
    return error;
  }
  // Also thrown by file writes: a picture can find the disk full too.
  const unwell = error instanceof DatabaseUnwell ? error.condition : conditionOf(error);
  if (unwell !== undefined && !(error instanceof ConnectionLost)) {
    log.error(`database.${unwell}`, { hint: hints[unwell] }, error);
    return new DatabaseAway(error, unwell === "full" ? 30 : undefined);
  }
  if (error instanceof ConnectionLost || error instanceof FlightLost) {
    const condition = conditionOf(error.cause);
    if (condition === undefined) log.error("database.away", {}, error);
    else log.error(`database.${condition}`, { hint: hints[condition] }, error);
    return new DatabaseAway(error);
  }
  log.error("failure", { code: "INTERNAL" }, error);
  return new Internal(error);
}

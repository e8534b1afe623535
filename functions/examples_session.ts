/** The example "session": shows callers the rows that their own session is made of, and that the database's connection is used again. */
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import type { Row } from "../db/database.ts";
import { hiddenColumns, readConnection, readOwnRows } from "../db/own_rows.ts";
import type { App } from "../shared/app.ts";
import { iso } from "../shared/day.ts";
import { RouteUnknown } from "../shared/errors.ts";
import { signedIn } from "./_signed_in.ts";

/** Counted by each environment of this function for itself: in a cloud there are several, and each begins at 1. */
interface Environment {
  readonly since: number;
  requests: number;
  /** Connections to the database, as they were seen first. */
  readonly connections: string[];
}

export const handler = (app: App) => {
  const here: Environment = { since: app.clock.now(), requests: 0, connections: [] };
  return http({ "GET /examples/session": (_, request) => show(app, request, here) })(app);
};

async function show(app: App, request: HttpRequest, here: Environment) {
  if (!app.config.examples) throw new RouteUnknown("GET", request.event.rawPath);
  const mine = await signedIn(app, request);
  const statements = [...readOwnRows(mine.id, mine.user), readConnection(app.db.dialect)] as const;
  const [sessions, users, wechat, own, [connection]] = await app.db.read(statements);
  here.requests += 1;
  return ok({
    rows: [
      ...visible("sessions", sessions),
      ...visible("users", users),
      ...visible("wechat_accounts", wechat),
      ...visible("own_accounts", own),
    ],
    environment: {
      since: iso(here.since),
      requests: here.requests,
      connection: numberOf(here.connections, String(connection?.id)),
      connections: here.connections.length,
    },
  });
}

/** Rows as they are, times in milliseconds included; what is secret in them was not read. */
const visible = (table: keyof typeof hiddenColumns, rows: readonly Row[]) =>
  rows.map((row) => ({
    table,
    row: { ...row, ...Object.fromEntries(hiddenColumns[table].map((column) => [column, "hidden"])) },
  }));

/** Which of the connections it is, from 1. The server's own number of it is nobody's business. */
function numberOf(connections: string[], id: string): number {
  if (!connections.includes(id)) connections.push(id);
  return connections.indexOf(id) + 1;
}

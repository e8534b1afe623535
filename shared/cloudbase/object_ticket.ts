/** Signed claims in the addresses at which CloudBase's clients store and fetch a file. ASCII without `%`: they encode an address again. */
import * as v from "valibot";
import type { App } from "../app.ts";
import { Forbidden } from "../errors.ts";
import { cloudPath } from "./cloud_path.ts";

const hash = v.pipe(v.string(), v.length(43));
const until = v.number();

const putClaims = v.object({
  act: v.literal("cloud.put"),
  session: v.string(),
  isAdmin: v.boolean(),
  path: cloudPath,
  type: v.string(),
  until,
});
const getClaims = v.object({ act: v.literal("cloud.get"), hash, until: v.optional(until) });

/** What the holder may store: one file, for the session that asked. */
export type PutClaims = Omit<v.InferOutput<typeof putClaims>, "act">;
/** What the holder may fetch. Without `until` whatever everybody with the id may, for ever. */
export type GetClaims = Omit<v.InferOutput<typeof getClaims>, "act">;

type Signer = Pick<App, "secrets" | "clock">;

export const putTicket = (app: Signer, claims: PutClaims): string => app.secrets.sign({ act: "cloud.put", ...claims });
export const getTicket = (app: Signer, claims: GetClaims): string => app.secrets.sign({ act: "cloud.get", ...claims });

/** @throws Forbidden */
export const openPutTicket = (app: Signer, ticket: string): PutClaims => opened(app, ticket, putClaims);
/** @throws Forbidden */
export const openGetTicket = (app: Signer, ticket: string): GetClaims => opened(app, ticket, getClaims);

function opened<S extends v.GenericSchema<unknown, { until?: number | undefined }>>(
  app: Signer,
  ticket: string,
  schema: S,
): v.InferOutput<S> {
  const claims = v.safeParse(schema, app.secrets.verify(ticket));
  if (!claims.success) throw new Forbidden("this address was not made here");
  const { until: end } = claims.output;
  if (end !== undefined && end <= app.clock.now()) throw new Forbidden("this address has expired");
  return claims.output;
}

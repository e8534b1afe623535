/** A whole read: which documents, in which order, how many, with which fields. */
import { InvalidInput } from "../errors.ts";
import { defaultLimit, maxLimit, maxSkip, maxSteadySteps } from "./limits.ts";
import { compileMatch, type Match } from "./match.ts";
import { type Project, parseProjection } from "./projection.ts";
import { type Condition, parseQuery, type QueryContext } from "./query.ts";
import { comparator, type Order, parseOrder } from "./sort.ts";
import { Steps } from "./steps.ts";
import type { Document, Fields } from "./value.ts";

/** A read, checked. */
export interface Selection {
  readonly condition: Condition;
  readonly order: Order;
  readonly skip: number;
  readonly limit: number;
  readonly project: Project;
}

/** A read as it arrives: parsed JSON, or numbers as the text of a URL. */
export interface SelectionInput {
  readonly query?: unknown;
  readonly order?: unknown;
  readonly skip?: unknown;
  readonly limit?: unknown;
  readonly projection?: unknown;
}

/** Checks a read. @throws InvalidInput, NotSupported */
export function parseSelection(input: SelectionInput, context: QueryContext): Selection {
  return {
    condition: parseQuery(input.query ?? {}, context, "query"),
    order: parseOrder(input.order),
    skip: countOf(input.skip, "skip", 0, 0, maxSkip),
    limit: countOf(input.limit, "limit", defaultLimit, 1, maxLimit),
    project: parseProjection(input.projection, context),
  };
}

/** A count, or a count as text; the default when it is missing. @throws InvalidInput */
export function countOf(input: unknown, at: string, missing: number, least: number, most: number): number {
  if (input === undefined || input === null || input === "") return missing;
  const count = typeof input === "string" && /^\d{1,9}$/.test(input) ? Number(input) : input;
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < least || count > most)
    throw new InvalidInput(at, `expected an integer from ${least} to ${most}`);
  return count;
}

/** The answer of a read. @param documents all those that may match, in any order */
export function select(documents: Iterable<Document>, { condition, order, skip, limit, project }: Selection): Fields[] {
  return matching(documents, compileMatch(condition, new Steps(maxSteadySteps)))
    .toSorted(comparator(order))
    .slice(skip, skip + limit)
    .map(project);
}

/** How many documents match. */
export const count = (documents: Iterable<Document>, condition: Condition): number =>
  matching(documents, compileMatch(condition, new Steps(maxSteadySteps))).length;

const matching = (documents: Iterable<Document>, match: Match) => [...documents].filter((document) => match(document));

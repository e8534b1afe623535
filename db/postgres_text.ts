/** Code shared by the two PostgreSQL drivers (pg and PGlite): guards as SQL, plans, error classes, number parsing. */
import { conditionOf, DatabaseUnwell } from "./conditions.ts";
import { ConstraintFailed, FlightLost, GuardFailed } from "./database.ts";
import type { Encoded } from "./sql.ts";

/** SQLSTATE that `orderbell_guard` raises; its message is the guard's name. No other software uses class OB. */
export const guardState = "OB001";

/** Created by the first migration. Volatile, or the planner could raise while planning. */
export const guardFunction = `
CREATE OR REPLACE FUNCTION orderbell_guard(violations bigint, name text) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF violations <> 0 THEN RAISE EXCEPTION USING ERRCODE = '${guardState}', MESSAGE = name; END IF;
  RETURN 0;
END $$`;

/** The statement's text with its guard around it: the pipeline cannot stop to look, so the condition raises by itself. */
export function guardedText({ text, guard }: Encoded): string {
  if (guard === undefined) return text;
  const name = `'${guard.name.replaceAll("'", "''")}'`;
  if ("absent" in guard) return `SELECT orderbell_guard((${text}), ${name})`;
  return `WITH step AS (${text} RETURNING 1) SELECT orderbell_guard(count(*) - ${guard.rows}, ${name}) FROM step`;
}

/**
 * Plans that do not depend on statistics. A plan made while a table was empty reads the whole table for as long as the connection keeps
 * it: every new shop's first rush, until autovacuum has come by. So tables are read by an index, row by row, whenever there is one.
 * Without `jit`: what can only be read whole has a cost beyond its limit, and would be compiled each time.
 */
export const planSettings: Readonly<Record<string, string>> = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
  plan_cache_mode: "force_generic_plan",
};

/** 40P01 deadlock, 40001 serialization, 55P03 lock time-out: the flight was taken back and may run again. */
const lost = new Set(["40P01", "40001", "55P03"]);

/** Translates an engine's error, or gives it back untouched. */
export function translate(error: unknown): unknown {
  const condition = conditionOf(error);
  if (condition !== undefined) return new DatabaseUnwell(condition, error);
  if (!(error instanceof Error) || !("code" in error)) return error;
  const code = String(error.code);
  if (code === guardState) return new GuardFailed(error.message);
  if (code === "23505") return new ConstraintFailed("unique", error);
  if (code === "23514") return new ConstraintFailed("check", error);
  if (lost.has(code)) return new FlightLost(error);
  return error;
}

/** bigint, numeric (sums) → number. All of ours are below 2^53. */
export const numberTypes = [20, 1700] as const;

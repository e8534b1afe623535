/** The tagged template for SQL. A value never becomes SQL text; it is encoded here, before anything is sent. */
import tag, { empty, join, raw, Sql } from "sql-template-tag";

export { empty, join, raw, Sql };

/** The type of a `${}`: a value, or another piece of SQL. */
export type Value = string | number | boolean | null;

export function sql(strings: TemplateStringsArray, ...values: readonly (Value | Sql)[]): Sql {
  return tag(strings, ...values);
}

/**
 * A statement that must hold for the flight to be stored.
 * An UPDATE of 0 rows does not stop a COMMIT, so a condition has to raise.
 */
export interface Guarded {
  readonly sql: Sql;
  /** `absent`: the SELECT counts violations and must yield 0. `rows`: the INSERT, UPDATE or DELETE must touch this many rows. */
  readonly guard: { readonly name: string } & ({ readonly absent: true } | { readonly rows: number });
}

export type Statement = Sql | Guarded;

/** A SELECT of one number that counts what must not be. */
export function absent(name: string, count: Sql): Guarded {
  return { sql: count, guard: { name, absent: true } };
}

/** A data-changing statement, without RETURNING, that must touch exactly so many rows. */
export function touches(name: string, rows: number, change: Sql): Guarded {
  return { sql: change, guard: { name, rows } };
}

/** A value that the wire cannot carry. It is found before anything is sent, so nothing is half done. */
export class Unencodable extends TypeError {
  override readonly name = "Unencodable";
}

/**
 * Encodes one value as text or null, the same for every engine.
 * Refused: what JSON or a driver would guess at (BigInt, Date, NaN, undefined, objects), NUL, half a surrogate pair.
 */
export function encode(value: unknown, where = "a value"): string | null {
  if (value === null) return null;
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Unencodable(`${where} is not a safe integer`);
    return String(value);
  }
  if (typeof value !== "string")
    throw new Unencodable(`${where} is a ${typeof value}, not text, integer, flag or null`);
  if (value.includes("\0")) throw new Unencodable(`${where} contains NUL`);
  if (!value.isWellFormed()) throw new Unencodable(`${where} contains half a surrogate pair`);
  return value;
}

/** A statement ready for a driver: final text and encoded values. */
export interface Encoded {
  readonly text: string;
  readonly values: (string | null)[];
  readonly guard: Guarded["guard"] | undefined;
}

/** Encodes a whole list at once: if one value of the last statement is bad, the first was not sent either. */
export function encodeAll(statements: readonly Statement[], placeholders: "numbered" | "question"): Encoded[] {
  return statements.map((statement, at) => {
    const { sql, guard } = statement instanceof Sql ? { sql: statement, guard: undefined } : statement;
    return {
      text: placeholders === "numbered" ? sql.text : sql.sql,
      values: sql.values.map((value, n) => encode(value, `value ${n + 1} of statement ${at + 1}`)),
      guard,
    };
  });
}

/** A numbered change of the schema, and the words of it that differ between the engines. */

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** One text for both families; what differs are the words in `types`. */
  readonly statements: (types: ColumnTypes) => readonly string[];
}

/** The words that differ between PostgreSQL and MySQL. */
export interface ColumnTypes {
  /** ASCII, compared byte by byte, at most 64: ids, keys, hashes, stream names. MySQL's default would take `abc`, `ABC` and `ábc` for one. */
  readonly id: string;
  /** As `id`, at most 200: keys of values in an index. */
  readonly key: string;
  readonly text: string;
  readonly bigint: string;
  readonly integer: string;
  readonly flag: string;
  /** After the closing parenthesis. `hot` tables are updated all day and leave room in their pages. */
  readonly table: string;
  readonly hotTable: string;
  /** Functions in PL/pgSQL, and indexes of a part of the rows. */
  readonly functions: boolean;
}

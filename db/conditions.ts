/** Conditions of a database that answers but cannot work, by the codes of its engine or of its file system. */

/** `full`: its disk; `memory`, `connections`: it has no more of them; `slow`: the statement took too long; `readOnly`: another server is the primary now. */
export type Condition = "full" | "memory" | "connections" | "slow" | "readOnly";

/** Nothing was stored, and the statement is not at fault: it may succeed later. */
export class DatabaseUnwell extends Error {
  override readonly name = "DatabaseUnwell";
  readonly condition: Condition;
  constructor(condition: Condition, cause: unknown) {
    super(`the database cannot work: ${condition}`, { cause });
    this.condition = condition;
  }
}

/** SQLSTATE: class 53, insufficient resources; 57014, ended by statement_timeout. Files: POSIX names. */
const byCode: Readonly<Record<string, Condition>> = {
  "53000": "memory",
  "53100": "full",
  "53200": "memory",
  "53300": "connections",
  "53400": "memory",
  "57014": "slow",
  "25006": "readOnly",
  ENOSPC: "full",
  EDQUOT: "full",
  ENOMEM: "memory",
  EMFILE: "connections",
  ENFILE: "connections",
};

/** MySQL's and MariaDB's numbers. 1030 and 1026 hold the system's own number in their text. */
const byNumber: Readonly<Record<number, Condition>> = {
  1021: "full",
  1114: "full",
  1037: "memory",
  1038: "memory",
  1041: "memory",
  1206: "memory",
  1040: "connections",
  1203: "connections",
  1226: "connections",
  1317: "slow",
  1969: "slow",
  3024: "slow",
  1290: "readOnly",
  1792: "readOnly",
  1836: "readOnly",
};

/** ENOSPC and EDQUOT, as engines write them into the text of another error. */
const fullText = /no space left on device|disk quota exceeded|ENOSPC|EDQUOT|\berr(?:no|code|or):? (?:28|122)\b/i;

export function conditionOf(error: unknown): Condition | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  return byCode[String(code)] ?? byNumber[Number(errno)] ?? (fullText.test(error.message) ? "full" : undefined);
}

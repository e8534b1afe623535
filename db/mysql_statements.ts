/** Statements on one connection to MySQL: each text is prepared once, and a list goes in one write where the server takes it so. */
import type { Row } from "./database.ts";
import { type CoreConnection, type Done, sendTogether } from "./mysql_pipeline.ts";
import type { Encoded } from "./sql.ts";

/** A command of the connection, such as COMMIT, or a statement with values. */
export type Step = string | Encoded;

/** What a step gave: rows, and how many rows it found to change. */
export interface Result {
  readonly rows: Row[];
  readonly affected: number;
}

export type Answers = readonly PromiseSettledResult<Result>[];

interface Prepared {
  execute(values: readonly (string | null)[], done: Done): void;
}

/** Texts of one connection. The server keeps 16,382 for all clients together. */
export const maxPrepared = 200;
/** Steps of one write: fewer than texts are kept, so that none is closed before it has run. */
const maxTogether = 100;

/** Per connection the prepared texts, the one used last at the end. */
const prepared = new WeakMap<CoreConnection, Map<string, Prepared>>();

/** Sends all in one write, two when a text is new to the connection. What follows a failed step runs as well. */
export async function sendAll(connection: CoreConnection, steps: readonly Step[]): Promise<Answers> {
  const answers: PromiseSettledResult<Result>[] = [];
  for (let at = 0; at < steps.length; at += maxTogether)
    answers.push(...(await sendSome(connection, steps.slice(at, at + maxTogether))));
  return answers;
}

/** Sends one after the other, until one fails. */
export async function sendSingly(connection: CoreConnection, steps: readonly Step[]): Promise<Answers> {
  const answers: PromiseSettledResult<Result>[] = [];
  for (const step of steps) {
    const [answer] = await sendSome(connection, [step]);
    answers.push(answer as PromiseSettledResult<Result>);
    if (answer?.status === "rejected") break;
  }
  return answers;
}

async function sendSome(connection: CoreConnection, steps: readonly Step[]): Promise<Answers> {
  const statements = await prepareAll(connection, steps);
  const sent = await sendTogether(
    connection,
    steps.map((step) => {
      if (typeof step === "string") return (done: Done) => connection.query(step, done);
      const statement = statements.get(step.text) as PromiseSettledResult<Prepared>;
      if (statement.status === "rejected") return (done: Done) => done(statement.reason, undefined);
      return (done: Done) => statement.value.execute(step.values, done);
    }),
  );
  return sent.map((answer) => (answer.status === "rejected" ? answer : { ...answer, value: resultOf(answer.value) }));
}

async function prepareAll(
  connection: CoreConnection,
  steps: readonly Step[],
): Promise<Map<string, PromiseSettledResult<Prepared>>> {
  let known = prepared.get(connection);
  if (known === undefined) {
    known = new Map();
    prepared.set(connection, known);
  }
  const found = new Map<string, PromiseSettledResult<Prepared>>();
  const missing: string[] = [];
  for (const step of steps) {
    if (typeof step === "string" || found.has(step.text)) continue;
    const statement = known.get(step.text);
    if (statement === undefined) {
      if (!missing.includes(step.text)) missing.push(step.text);
      continue;
    }
    known.delete(step.text);
    known.set(step.text, statement);
    found.set(step.text, { status: "fulfilled", value: statement });
  }
  if (missing.length === 0) return found;
  const answers = await sendTogether(
    connection,
    missing.map((text) => (done: Done) => connection.prepare(text, done)),
  );
  for (const [at, text] of missing.entries()) {
    const answer = answers[at] as PromiseSettledResult<Prepared>;
    found.set(text, answer);
    if (answer.status === "fulfilled") known.set(text, answer.value);
  }
  for (const text of known.keys()) {
    if (known.size <= maxPrepared) break;
    known.delete(text);
    connection.unprepare(text);
  }
  return found;
}

function resultOf(result: unknown): Result {
  if (Array.isArray(result)) return { rows: result, affected: 0 };
  return { rows: [], affected: Number((result as { affectedRows?: number } | undefined)?.affectedRows ?? 0) };
}

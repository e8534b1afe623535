/** `collections export` and `collections import`: documents as JSON Lines, in as many calls of `admin` as they need. */
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";
import { LinesUnreadable, portionsOf } from "./json_lines.ts";

export type Ask = (event: AdminEvent) => Promise<AdminAnswer>;

/** Where a command's output goes. */
export interface Output {
  out(text: string): Promise<void>;
  /** Remarks, apart from the output. */
  remark(text: string): void;
}

interface Exported {
  readonly documents: readonly object[];
  /** The id to go on after; null at the end. */
  readonly next: string | null;
  /** The number of the collection's last change. */
  readonly position: number;
}

/** Writes each document as a line. @returns an error, or nothing more to print */
export async function exportLines(first: AdminEvent, ask: Ask, { out, remark }: Output): Promise<AdminAnswer> {
  let begun: number | undefined;
  for (let after: string | null | undefined; after !== null; ) {
    const answer = await ask({
      ...first,
      args: { ...(first.args as object), ...(after === undefined ? {} : { after }) },
    });
    if ("error" in answer) return answer;
    const { documents, next, position } = answer.ok as Exported;
    await out(documents.map((one) => `${JSON.stringify(one)}\n`).join(""));
    begun ??= position;
    if (next === null && position !== begun)
      remark("the collection was written to meanwhile: each line is a whole document, but not all of the same moment");
    after = next;
  }
  return { ok: undefined };
}

/** Sends a file in portions; only the last one changes the collection. */
export async function importLines(first: AdminEvent, path: string, ask: Ask): Promise<AdminAnswer> {
  const base = first.args as object;
  let id: string | undefined;
  const send = (more: object) =>
    ask({ ...first, args: { ...base, ...(id === undefined ? {} : { import: id }), ...more } });
  const giveUp = async <T>(because: T): Promise<T> => {
    // Otherwise a sweep removes it.
    if (id !== undefined) await send({ step: "abort" }).catch(() => undefined);
    return because;
  };
  try {
    for await (const { from, lines } of portionsOf(path)) {
      const answer = await send({ step: "add", from, lines });
      if ("error" in answer) return await giveUp(answer);
      id = (answer.ok as { import: string }).import;
    }
  } catch (error) {
    await giveUp(error);
    if (!(error instanceof LinesUnreadable)) throw error;
    return { error: { code: "INVALID_INPUT", message: error.message, errors: [error.message] } };
  }
  const answer = await send({ step: "commit" });
  return "error" in answer ? await giveUp(answer) : answer;
}

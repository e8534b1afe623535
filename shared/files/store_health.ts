/** Whether files can be stored, for the operator. */
import type { App } from "../app.ts";
import { FilesAway } from "../errors.ts";
import { NoStore } from "../file_store.ts";

/** @returns `ok`, or what is wrong; null where this process has no storage, as a session service alone */
export async function storeHealth({ store, random }: Pick<App, "store" | "random">): Promise<string | null> {
  // Below incoming/ a store removes by itself what a failure leaves here.
  const path = `incoming/${random.secret(16)}`;
  const body = Buffer.from("orderbell");
  try {
    await store.write({ path, type: "application/octet-stream", bytes: body.length }, body);
    const found = Buffer.from(await store.read(path, body.length));
    await store.remove([path]);
    if (!found.equals(body)) return "what is written is not what is read";
    return (await store.check?.(path)) ?? "ok";
  } catch (error) {
    if (error instanceof NoStore) return null;
    return `cannot be written: ${codeOf(error instanceof FilesAway ? error.cause : error)}`;
  }
}

/** Messages of other libraries may quote an address. */
const codeOf = (error: unknown): string =>
  error instanceof Error ? String((error as { code?: unknown }).code ?? error.name) : "no answer";

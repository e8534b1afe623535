/** Makes the keys of indexed fields fit the declaration. */
import type { App } from "../app.ts";

/** Makes the keys of newly indexed fields of all declared collections, in batches. May run twice or in parallel. */
export async function ensureIndexes(_app: App): Promise<void> {}

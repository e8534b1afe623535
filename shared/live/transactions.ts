/** Transactions over several requests: optimistic, at most 30 seconds long. */
import type { App } from "../app.ts";
import type { Caller } from "./caller.ts";

/** @returns its id */
export async function startTransaction(_app: App, _caller: Caller): Promise<string> {
  throw new Error("not yet");
}

/** @throws TransactionConflict when another commit changed what was read */
export async function commitTransaction(_app: App, _caller: Caller, _id: string): Promise<void> {
  throw new Error("not yet");
}

export async function abortTransaction(_app: App, _caller: Caller, _id: string): Promise<void> {
  throw new Error("not yet");
}

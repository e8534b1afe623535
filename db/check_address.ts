/** Checks a database's address before a deployment uses it. */
import { readAddress } from "./address.ts";
import { ConnectionLost } from "./database.ts";
import { type OpenOptions, openDatabase } from "./open.ts";

/**
 * Reads the address, and asks the database itself from where this runs.
 * @returns the reason why it does not answer from here; only a warning where it will be used from another place
 * @throws AddressWrong, whose message follows the name of the variable
 */
export async function checkDatabaseAddress(
  options: Omit<OpenOptions, "maxConnections" | "connectTimeoutMs">,
  timeoutMs = 5_000,
): Promise<string | undefined> {
  readAddress(options.url, options);
  const database = await openDatabase({ ...options, maxConnections: 1, connectTimeoutMs: timeoutMs });
  try {
    await database.probe(timeoutMs);
    return undefined;
  } catch (error) {
    if (error instanceof ConnectionLost) return error.reason;
    throw error;
  } finally {
    await database.close();
  }
}

import { rm } from "node:fs/promises";
import { stopping } from "./_setup.ts";

export default async function teardown(): Promise<void> {
  // Only now: it reads what the setup has found when it is loaded.
  const { dropEmptied } = await import("./_engines.ts");
  await dropEmptied();
  for (const stop of stopping) await stop();
  const folder = process.env.ORDERBELL_TEST_FOLDER;
  // The runner searches it first, where there is a runner.
  if (folder && process.env.ORDERBELL_TEST_OWN_FOLDER) await rm(folder, { recursive: true, force: true });
}

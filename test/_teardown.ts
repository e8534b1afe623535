import { rm } from "node:fs/promises";

export default async function teardown(): Promise<void> {
  const folder = process.env.ORDERBELL_TEST_FOLDER;
  // The runner searches it first, where there is a runner.
  if (folder && process.env.ORDERBELL_TEST_OWN_FOLDER) await rm(folder, { recursive: true, force: true });
}

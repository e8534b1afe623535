/** Checks files.yml as a server that starts does. */
import { PurposesWrong, purposesIn, readPurposesFile } from "../cli/purposes_file.ts";

/** @returns a line for each error */
export function checkPurposes(file: () => { path: string; text: string } = () => readPurposesFile({})): string[] {
  try {
    purposesIn(file());
    return [];
  } catch (error) {
    if (!(error instanceof PurposesWrong)) throw error;
    return error.message.split("\n");
  }
}

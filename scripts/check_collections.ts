/** Checks collections.yml as a server that starts does. */
import { CollectionsWrong, declaredIn, readCollectionsFile } from "../cli/collections_file.ts";

/** @returns a line for each error */
export function checkCollections(file: () => { path: string; text: string } = () => readCollectionsFile({})): string[] {
  try {
    declaredIn(file());
    return [];
  } catch (error) {
    if (!(error instanceof CollectionsWrong)) throw error;
    return error.message.split("\n");
  }
}

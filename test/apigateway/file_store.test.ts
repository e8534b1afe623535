/** The store of files in a folder of this machine. */
import { fileStoreContract } from "../contracts/file_store.ts";
import { openFiles } from "./_files.ts";

describe("a folder as a store of files: ", () => fileStoreContract(openFiles));

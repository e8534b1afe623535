/** The files in which a project declares things: where each lies, and its text. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";

export interface DeclaredText {
  /** For errors. */
  readonly path: string;
  readonly text: string;
}

export interface DeclaredFile {
  /** What a setting names. */
  readonly named: string | undefined;
  /** The project's own, beside serverless.yml; there may be none. */
  readonly own: string;
  /** For the error: which setting says where what is. */
  readonly hint: string;
  /** Makes the error. */
  readonly wrong: (message: string) => Error;
}

/** @returns an empty text where the project has no file of its own */
export function readDeclaredFile({ named, own, hint, wrong }: DeclaredFile): DeclaredText {
  const path = named ?? relative("", own);
  try {
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(named ?? own)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") throw wrong(`${path} is not UTF-8`);
    if (named === undefined && code === "ENOENT") return { path, text: "" };
    throw wrong(`${path} cannot be read (${code}); ${hint}`);
  }
}

/** @throws what `wrong` makes of the errors: a line for each, with the file */
export function throwIfWrong(errors: readonly string[], { path }: DeclaredText, wrong: DeclaredFile["wrong"]): void {
  if (errors.length > 0) throw wrong(errors.map((error) => `${path}, ${error}`).join("\n"));
}

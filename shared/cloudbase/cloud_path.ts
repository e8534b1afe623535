/** Paths of files as CloudBase's clients name them, and the ids that they are known by. */
import * as v from "valibot";
import { hasControls, hasTurns } from "../files/names.ts";
import { lengthOf } from "../text.ts";

export const maxCloudPath = 1_000;

/** Which environment and bucket an id names does not matter: there is one. Ids that apps have stored at CloudBase stay theirs. */
const place = "orderbell.files";
const idPattern = /^cloud:\/\/[A-Za-z0-9_.-]{1,200}\/(.+)$/s;

/** @returns what is wrong with a path; undefined when nothing is */
export function whyNoPath(path: string): string | undefined {
  if (path === "") return "a path";
  if (lengthOf(path) > maxCloudPath) return `a path of at most ${maxCloudPath} characters`;
  if (path.includes("\\") || hasControls(path) || hasTurns(path)) return "a path without control characters and \\";
  if (path.split("/").some((part) => part === "" || part === "." || part === ".."))
    return "a path whose parts between / are neither empty nor . nor ..";
  return undefined;
}

export const cloudPath = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const why = dataset.typed ? whyNoPath(dataset.value) : undefined;
    if (why !== undefined) addIssue({ message: why });
  }),
);

/** The id of the file at a path: the same whoever uploads it, and each time. */
export const fileIdOf = (path: string): string => `cloud://${place}/${path}`;

/** The path that an id names, or undefined where it is none. */
export function pathOf(fileId: string): string | undefined {
  const path = idPattern.exec(fileId)?.[1];
  return path === undefined || whyNoPath(path) !== undefined ? undefined : path;
}

/** A file's own name, in a form in which the client may encode it once more: it sends the address of a download through `encodeURI`. */
export const shownName = (path: string): string => nameOf(path).replace(/[%?#"<>`{}|^\s[\]]/gu, "_");

/** What stands behind the last `/`. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Of a name: what stands behind its last point, in small letters. */
export const endingOf = (name: string): string => /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase() ?? "";

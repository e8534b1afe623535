/** A purpose of files: who may store what, how much, and who sees it. What reads the declaration and decides is in `files/`. */

export const visibilities = ["private", "unlisted", "public"] as const;
export type Visibility = (typeof visibilities)[number];

/** Kinds of sessions; `owner` of a shop, its `staff` of every role, and a `key` that is bound to it. */
export const uploaders = ["guest", "wechat", "own", "owner", "staff", "key"] as const;
export type Uploader = (typeof uploaders)[number];

export interface Purpose {
  readonly name: string;
  /** Words of `files/kinds.ts`, such as `jpg`. */
  readonly types: readonly string[];
  /** Words of what may be in the set of such a file: playlist and segments of a film. */
  readonly members: readonly string[];
  readonly maxBytes: number;
  /** Of one user, or of one shop. Members count by their bytes alone. */
  readonly perUser: { readonly files: number; readonly bytes: number };
  readonly total: { readonly bytes: number };
  /** What may be asked for; the first is the default. */
  readonly visibility: readonly Visibility[];
  readonly who: readonly Uploader[];
  /** A picture that its shop's menu does not name goes after so many days. */
  readonly unusedDays: number | null;
}

const mb = 1_024 * 1_024;
const gb = 1_024 * mb;

/** What orderbell itself uses. A declaration of the same name replaces one. */
export const builtInPurposes: readonly Purpose[] = [
  {
    name: "dish",
    types: ["jpg", "png", "webp"],
    members: [],
    maxBytes: 2 * mb,
    perUser: { files: 2_000, bytes: 2 * gb },
    total: { bytes: 100 * gb },
    visibility: ["public"],
    who: ["owner", "key"],
    unusedDays: 7,
  },
  {
    name: "film",
    types: ["mp4", "webm"],
    members: ["m3u8", "ts", "m4s", "mp4", "vtt", "jpg", "png", "webp"],
    maxBytes: 4 * gb,
    perUser: { files: 200, bytes: 100 * gb },
    total: { bytes: 1_000 * gb },
    visibility: ["public"],
    who: ["owner"],
    unusedDays: null,
  },
  {
    // What CloudBase's clients upload.
    name: "cloud",
    types: ["any"],
    members: [],
    maxBytes: 100 * mb,
    perUser: { files: 1_000, bytes: gb },
    total: { bytes: 100 * gb },
    visibility: ["unlisted", "public", "private"],
    who: ["guest", "wechat", "own", "staff", "key"],
    unusedDays: null,
  },
];

export const purposesByName = (list: readonly Purpose[]): ReadonlyMap<string, Purpose> =>
  new Map([...builtInPurposes, ...list].map((one) => [one.name, one]));

/** A file: its row, and what callers see of it. */
import type { Row } from "../../db/database.ts";
import { iso } from "../day.ts";
import type { Visibility } from "../purpose.ts";

/** `waiting` for its bytes; `ended`: removed, while an upload that was signed for it could still come. */
export type FileState = "waiting" | "stored" | "ended";
export const ways = ["put", "form", "parts"] as const;
export type Way = (typeof ways)[number];

/** The caller's own words about a file. */
export type About = Readonly<Record<string, string | number | boolean>>;

export interface File {
  readonly id: string;
  readonly owner: string;
  readonly holder: string;
  readonly shop: string | null;
  readonly purpose: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly visibility: Visibility;
  readonly by: Way;
  readonly path: string;
  readonly upload: string | null;
  readonly of: string | null;
  readonly about: About | null;
  readonly state: FileState;
  readonly createdAt: number;
  readonly signedUntil: number;
  readonly storedAt: number | null;
  /** When the sweep last saw it in a menu. */
  readonly usedAt: number | null;
}

const textOr = (value: Row[string] | undefined) => (value === null || value === undefined ? null : String(value));
const numberOr = (value: Row[string] | undefined) => (value === null || value === undefined ? null : Number(value));

export function fileOf(row: Row): File {
  return {
    id: String(row.id),
    owner: String(row.owner),
    holder: String(row.holder),
    shop: textOr(row.shop_id),
    purpose: String(row.purpose),
    name: String(row.name),
    type: String(row.type),
    bytes: Number(row.bytes),
    visibility: String(row.visibility) as Visibility,
    by: String(row.sent_by) as Way,
    path: String(row.path),
    upload: textOr(row.upload),
    of: textOr(row.part_of),
    about: row.about === null || row.about === undefined ? null : JSON.parse(String(row.about)),
    state: String(row.state) as FileState,
    createdAt: Number(row.created_at),
    signedUntil: Number(row.signed_until),
    storedAt: numberOr(row.stored_at),
    usedAt: numberOr(row.used_at),
  };
}

/** The file of a row, unless there is none or it was removed. */
export function presentIn(rows: readonly Row[] | undefined): File | undefined {
  const file = rows?.[0] === undefined ? undefined : fileOf(rows[0]);
  return file?.state === "ended" ? undefined : file;
}

/** Where a form's bytes lie until they are checked. */
export const incomingOf = ({ path }: Pick<File, "path">) => path.replace(/^files\//, "incoming/");

/** What the name of the file itself is in `/files/{id}/{name}`. */
export const ownName = "content";

/** As callers see it. */
export function fileView(file: File) {
  const { id, purpose, name, type, bytes, visibility, state, shop, of, about, createdAt, storedAt } = file;
  return {
    id,
    purpose,
    name,
    type,
    bytes,
    visibility,
    state,
    shop,
    of,
    about,
    createdAt: iso(createdAt),
    storedAt: storedAt === null ? null : iso(storedAt),
    path: visibility === "private" ? null : `/files/${id}/${ownName}`,
  };
}
export type FileView = ReturnType<typeof fileView>;

/** A declared collection, its permission, and its stream. What reads the declaration and decides is in `live/`. */

export type Action = "read" | "create" | "update" | "delete";

export const presets = ["READONLY", "PRIVATE", "ADMINWRITE", "ADMINONLY"] as const;
export type Preset = (typeof presets)[number];

export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in";

/** A rule, parsed. */
export type Rule =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "list"; readonly parts: readonly Rule[] }
  | { readonly kind: "template"; readonly parts: readonly Rule[] }
  | { readonly kind: "variable"; readonly name: "auth" | "doc" | "request" | "now" }
  | { readonly kind: "member"; readonly of: Rule; readonly name: Rule }
  | { readonly kind: "get"; readonly path: Rule }
  | { readonly kind: "not"; readonly of: Rule }
  | { readonly kind: "and" | "or"; readonly parts: readonly Rule[] }
  | { readonly kind: "compare"; readonly operator: Comparison; readonly left: Rule; readonly right: Rule };

/** A preset; or rules, where an action without one is denied. */
export type Permission = { readonly preset: Preset } | { readonly rules: Readonly<Partial<Record<Action, Rule>>> };

/** A declared collection. */
export interface Collection {
  readonly name: string;
  readonly permission: Permission;
  /** Paths of fields that queries find documents by. */
  readonly indexes: readonly string[];
  readonly limits: CollectionLimits;
}

export interface CollectionLimits {
  /** Bytes of a document as JSON. */
  readonly documentBytes: number;
  /** Documents of the collection. */
  readonly documents: number;
  /** Documents of one owner: nobody fills the collection for all others. No limit of an administrator's. */
  readonly documentsOfOne: number;
}

const prefix = "collection:";

/** The stream of a collection: one event for each commit. Nobody reads or writes it over the protocol of streams. */
export const collectionStream = (collection: string) => `${prefix}${collection}`;

export const isCollectionStream = (stream: string) => stream.startsWith(prefix);

/** The collection of such a stream. */
export const collectionIn = (stream: string) => stream.slice(prefix.length);

/** The type of its events. Their data are `{"changes": n}`; the documents are in `document_changes`. */
export const documentsChanged = "documents.changed";

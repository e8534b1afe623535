/** Types of the collections: what a developer writes, and what comes back. */
import type { ApiError } from "../api.ts";

/** A document as it is stored: the developer's fields, its id and its owner. */
export type Stored<T> = T & { readonly _id: string; readonly _openid?: string };

/** Operators, such as `{ $gt: 1 }` or `{ $inc: 1 }`, as `command` makes them. */
export type Command = { readonly [operator: `$${string}`]: unknown };

/** Fields of fields are named with dots. */
type Dotted = { readonly [path: `${string}.${string}`]: unknown };

/** Of a field that is an object: some of its own fields. */
type Inner<V> = V extends Date | readonly unknown[] ? never : V extends object ? Parts<V> : never;

type Parts<T> = { readonly [Name in keyof T]?: T[Name] | Inner<T[Name]> | Command | RegExp };

/** A condition: fields with a value or with operators. A field that is undefined is refused, since it would match everything. */
export type Where<T> = (Parts<Stored<T>> & Dotted) | Command;

/** Changes: fields with a value or with an update operator. A plain object changes its own fields only; `command.set` replaces it. */
export type Changes<T> = Parts<T> & Dotted;

export type FieldOf<T> = (keyof Stored<T> & string) | `${string}.${string}`;

export type Direction = "asc" | "desc";

/** `connecting`: there is no list yet. `live`: as of the last check, nothing is missing. `stale`: the list may be behind, and is being fetched. */
export type ListState = "connecting" | "live" | "stale";

/** What is different from the list of the call before; at first every document is `added`. */
export interface ListChange<T> {
  readonly added: readonly T[];
  readonly changed: readonly T[];
  /** As they were. */
  readonly removed: readonly T[];
  /** The list was fetched: at the start, or after a connection was lost. */
  readonly snapshot: boolean;
}

export interface ListListener<T> {
  /** Called with the whole list, in its order, at the start and after each change. A document that has not changed is the same object. */
  onChange(documents: readonly T[], change: ListChange<T>): void;
  onState?(state: ListState): void;
  /** Called once, when the watch has ended: not allowed, unknown, too large. What passes is not told here; see `state()`. */
  onError?(error: ApiError): void;
}

export interface ListWatch<T> {
  documents(): readonly T[];
  state(): ListState;
  /** Nothing is called after it. Another watch may begin at once. */
  close(): void;
}

/** Pages and parts of documents: they can be read, not watched. */
export interface Page<T> {
  orderBy(field: FieldOf<T>, direction?: Direction): Page<T>;
  limit(count: number): Page<T>;
  skip(count: number): Page<T>;
  field(fields: { readonly [path: string]: boolean | Command }): Page<T>;
  get(): Promise<Stored<T>[]>;
}

/** A query. Each call gives another one. Without `orderBy` the order is that of the ids, largest first. */
export interface Query<T> extends Page<T> {
  /** Called again, both hold. */
  where(where: Where<T>): Query<T>;
  orderBy(field: FieldOf<T>, direction?: Direction): Query<T>;
  limit(count: number): Query<T>;
  count(): Promise<number>;
  /** Changes every document that matches, whatever order and limit say. @returns how many were changed */
  update(changes: Changes<T>): Promise<number>;
  /** Removes every document that matches, whatever order and limit say. @returns how many were removed */
  remove(): Promise<number>;
  watch(listener: ListListener<Stored<T>>): ListWatch<Stored<T>>;
}

export interface DocumentReference<T> {
  get(): Promise<Stored<T> | undefined>;
  /** @returns whether it was there, and has changed */
  update(changes: Changes<T>): Promise<boolean>;
  /** Writes the whole document, whether it was there or not. Its id and its owner stay. */
  set(document: T): Promise<void>;
  /** @returns whether it was there */
  remove(): Promise<boolean>;
  watch(listener: ListListener<Stored<T>>): ListWatch<Stored<T>>;
}

export interface Collection<T> extends Query<T> {
  /** Adds a document, once, on any network. @returns its id */
  add(document: T & { readonly _id?: string }): Promise<string>;
  doc(id: string): DocumentReference<T>;
  /** MongoDB's stages, each an object with one name such as `$match`. */
  aggregate<Result = Record<string, unknown>>(stages: readonly Command[]): Promise<Result[]>;
}

/** The collections, by name. */
export interface Collections<All> {
  collection<Name extends keyof All & string>(name: Name): Collection<All[Name]>;
}

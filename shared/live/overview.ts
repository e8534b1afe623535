/** The collections of this server for the owner's page: what each holds, and who watches it. */
import { readCollections } from "../../db/documents.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { Forbidden } from "../errors.ts";
import { builtIns } from "./built_in.ts";
import type { Caller } from "./caller.ts";
import type { Watcher } from "./watch_port.ts";
import { watchesOf } from "./watches_of.ts";

/** Watchers of one collection that are named, the newest. */
const maxWatchers = 50;

/** Characters of a watch's query that are shown. */
const maxQueryCharacters = 200;

interface CollectionView {
  readonly name: string;
  /** A preset; `RULES`; or `BUILT_IN`: shops, menus, orders. */
  readonly permission: string;
  readonly indexes: readonly string[];
  /** Null for what is built in: it is not counted. */
  readonly documents: number | null;
  readonly bytes: number | null;
  readonly watches: number;
  readonly watchers: readonly WatcherView[];
}

interface WatcherView {
  readonly user: string | null;
  /** Of the session. */
  readonly kind: string;
  readonly query: string;
  /** RFC 3339, UTC. */
  readonly since: string;
}

/** Every collection, for whom no rule binds. @throws Forbidden */
export async function overview(app: App, { auth }: Caller): Promise<{ collections: readonly CollectionView[] }> {
  if (auth?.isAdmin !== true) throw new Forbidden("collections are administered by owners and by keys for that");
  const watches = watchesOf(app);
  const [[rows], counts, watchers] = await Promise.all([
    app.db.read([readCollections()]),
    watches.counts(app),
    watches.watchers(app),
  ]);
  const stored = new Map(rows.map((row) => [String(row.name), row]));
  const seen = (name: string) => ({ watches: counts.get(name) ?? 0, watchers: watchersOf(watchers, name) });
  const declared = [...app.config.collections.values()].map((collection) => ({
    name: collection.name,
    permission: permissionOf(collection),
    indexes: collection.indexes,
    documents: Number(stored.get(collection.name)?.documents ?? 0),
    bytes: Number(stored.get(collection.name)?.bytes ?? 0),
    ...seen(collection.name),
  }));
  const own = [...builtIns.keys()].map((name) => ({
    name,
    permission: "BUILT_IN",
    indexes: [],
    documents: null,
    bytes: null,
    ...seen(name),
  }));
  return { collections: [...declared, ...own] };
}

const permissionOf = ({ permission }: Collection): string => ("preset" in permission ? permission.preset : "RULES");

const watchersOf = (watchers: readonly Watcher[], name: string) =>
  watchers
    .filter(({ collection }) => collection === name)
    .slice(0, maxWatchers)
    .map(({ user, kind, query, since }) => ({
      user,
      kind,
      query: query.slice(0, maxQueryCharacters),
      since: new Date(since).toISOString(),
    }));

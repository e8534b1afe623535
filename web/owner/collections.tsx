/** The collections of this server: what each holds, who may do what, who watches; and one of them in full. */
import { useEffect, useState } from "preact/hooks";
import { CollectionPage } from "./collection_page.tsx";
import { bytesOf, numberOf, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import type { Collection } from "./types.ts";

const pollMs = 10_000;

/** `#collections/notes` → notes */
const nameInAddress = (): string => decodeURIComponent(location.hash.split("/")[1] ?? "");
const addressOf = (name: string) => `#collections/${encodeURIComponent(name)}`;

export function CollectionsSection({
  collections,
  reload,
}: {
  collections: readonly Collection[];
  reload(): Promise<unknown>;
}) {
  const [name, setName] = useState(nameInAddress);
  useEffect(() => {
    const onHashChange = () => setName(nameInAddress());
    addEventListener("hashchange", onHashChange);
    // Who watches changes without an event for this page.
    const timer = setInterval(() => document.hidden || void reload(), pollMs);
    return () => {
      removeEventListener("hashchange", onHashChange);
      clearInterval(timer);
    };
  }, [reload]);

  const open = collections.find((one) => one.name === name);
  if (open !== undefined) return <CollectionPage key={open.name} collection={open} reload={reload} />;
  const declared = collections.filter(({ permission }) => permission !== "BUILT_IN");
  const builtIn = collections.filter(({ permission }) => permission === "BUILT_IN");
  return (
    <div class="stack">
      <p class="soft">{words.collectionsHint}</p>
      <CollectionList title={words.declared} collections={declared} />
      <CollectionList title={words.builtIn} hint={words.builtInHint} collections={builtIn} />
    </div>
  );
}

interface CollectionListProps {
  title: string;
  hint?: string;
  collections: readonly Collection[];
}

function CollectionList({ title, hint, collections }: CollectionListProps) {
  return (
    <section class="card flush" aria-label={title}>
      <header class="list-head">
        <div>
          <h2>{title}</h2>
          {hint !== undefined && <p class="soft">{hint}</p>}
        </div>
      </header>
      <ul class="dishes">
        {collections.map((collection) => (
          <li key={collection.name} data-slot>
            <a class="dish" href={addressOf(collection.name)}>
              <span class="what">
                {/* A name of the developer's: nothing to translate. */}
                <b class="mono" translate={false}>
                  {collection.name}
                </b>
                {collection.documents !== null && collection.bytes !== null && (
                  <small>
                    {words.documents(collection.documents, numberOf(collection.documents))} ·{" "}
                    {bytesOf(collection.bytes)}
                  </small>
                )}
                <span class="marks">
                  <span class="mark">{words.permission[collection.permission]}</span>
                  {collection.watches > 0 && <span class="mark good">{words.watching(collection.watches)}</span>}
                </span>
              </span>
              <Icon name="right" size={20} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

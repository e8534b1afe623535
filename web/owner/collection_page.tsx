/** One collection: its documents, found by a query, page by page; and who watches it. */
import { useEffect, useState } from "preact/hooks";
import { dateOf, numberOf, words } from "./dictionary.ts";
import { DocumentDialog, NewDocumentDialog } from "./document_dialog.tsx";
import { contentOf, queryOf } from "./document_text.ts";
import { findDocuments, pageSize } from "./documents.ts";
import { Card, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { Failed, Waiting } from "./states.tsx";
import type { Collection, Fields, StoredDocument, Watcher } from "./types.ts";
import { useQuery } from "./use_query.ts";

export function CollectionPage({ collection, reload }: { collection: Collection; reload(): Promise<unknown> }) {
  const { name, permission, indexes, watchers, watches } = collection;
  const canWrite = permission !== "BUILT_IN";
  const [query, setQuery] = useState<Fields>({});
  const [offset, setOffset] = useState(0);
  const [open, setOpen] = useState<StoredDocument | "new">();
  const page = useQuery(JSON.stringify([query, offset]), () => findDocuments(name, query, offset));
  // The last page may have become empty.
  const { total = 0 } = page.value ?? {};
  useEffect(() => {
    if (offset > 0 && offset >= total && page.value !== undefined)
      setOffset(Math.max(0, pageSize * (Math.ceil(total / pageSize) - 1)));
  }, [page.value]);
  const refresh = () => Promise.all([page.reload(), reload()]);
  const close = () => setOpen(undefined);

  return (
    <div class="stack">
      <div class="row spread">
        <a class="button plain back" href="#collections">
          <Icon name="left" size={20} />
          {words.allCollections}
        </a>
        <div class="row">
          <button type="button" class="button round" aria-label={words.refresh} onClick={() => void refresh()}>
            <Icon name="again" size={20} />
          </button>
          {canWrite && (
            <button type="button" class="button primary" onClick={() => setOpen("new")}>
              <Icon name="add" size={20} />
              {words.newDocument}
            </button>
          )}
        </div>
      </div>
      <section class="card flush" aria-labelledby="collection">
        <header class="list-head">
          <div>
            <h2 id="collection" class="mono" translate={false}>
              {name}
            </h2>
            <p class="soft">{words.permissionHint[permission]}</p>
            {indexes.length > 0 && <p class="soft">{words.indexes(indexes.join(", "))}</p>}
          </div>
        </header>
        <Filter
          onQuery={(to) => {
            setQuery(to);
            setOffset(0);
          }}
        />
        {page.failed !== undefined ? (
          <Failed error={page.failed} onRetry={() => void page.reload()} />
        ) : page.value === undefined ? (
          <div class="inset">
            <Waiting />
          </div>
        ) : page.value.documents.length === 0 ? (
          <p class="soft inset">{Object.keys(query).length === 0 ? words.noDocuments : words.nothingFound}</p>
        ) : (
          <ul class="dishes">
            {page.value.documents.map((document) => (
              <li key={document._id} data-slot>
                <DocumentRow document={document} onOpen={() => setOpen(document)} />
              </li>
            ))}
          </ul>
        )}
        {page.value !== undefined && <Pager offset={offset} total={page.value.total} onMove={setOffset} />}
      </section>
      <Watchers watchers={watchers} watches={watches} />
      {open === "new" && <NewDocumentDialog collection={name} onDone={refresh} onClose={close} />}
      {open !== undefined && open !== "new" && (
        <DocumentDialog collection={name} document={open} canWrite={canWrite} onDone={refresh} onClose={close} />
      )}
    </div>
  );
}

function Filter({ onQuery }: { onQuery(query: Fields): void }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        const query = queryOf(text);
        setWrong(query === undefined);
        if (query !== undefined) onQuery(query);
      }}
    >
      <TextField
        label={words.filter}
        hint={words.filterHint}
        error={wrong ? words.filterWrong : undefined}
        value={text}
        onInput={setText}
      />
      <button type="submit" class="button">
        {words.find}
      </button>
    </form>
  );
}

function DocumentRow({ document, onOpen }: { document: StoredDocument; onOpen(): void }) {
  return (
    <button type="button" class="dish document" onClick={onOpen}>
      <span class="what">
        <b class="mono" translate={false}>
          {document._id}
        </b>
        <code translate={false}>{JSON.stringify(contentOf(document))}</code>
      </span>
      <Icon name="right" size={20} />
    </button>
  );
}

function Pager({ offset, total, onMove }: { offset: number; total: number; onMove(offset: number): void }) {
  if (total === 0) return null;
  const last = Math.min(offset + pageSize, total);
  return (
    <footer class="pager">
      <button
        type="button"
        class="button plain round"
        aria-label={words.pageBefore}
        disabled={offset === 0}
        onClick={() => onMove(Math.max(0, offset - pageSize))}
      >
        <Icon name="left" />
      </button>
      <span role="status">{words.range(numberOf(Math.min(offset + 1, total)), numberOf(last), numberOf(total))}</span>
      <button
        type="button"
        class="button plain round"
        aria-label={words.pageAfter}
        disabled={last >= total}
        onClick={() => onMove(offset + pageSize)}
      >
        <Icon name="right" />
      </button>
    </footer>
  );
}

function Watchers({ watchers, watches }: { watchers: readonly Watcher[]; watches: number }) {
  return (
    <Card title={words.watchers} aside={<span class="mark">{words.watching(watches)}</span>}>
      {watches === 0 ? (
        <p class="soft">{words.nobodyWatches}</p>
      ) : (
        <ul class="list">
          {watchers.map(({ user, kind, query, since }, nth) => (
            // Two watches of one person can be the same in all: only their place tells them apart.
            <li key={nth} class="line">
              <div class="name">
                <b>
                  {words.kind[kind]}{" "}
                  {user !== null && (
                    <span class="mark mono" translate={false}>
                      {user}
                    </span>
                  )}
                </b>
                <small>
                  <span>{words.watchesSince(dateOf(since))}</span>
                  <code translate={false}>{query}</code>
                </small>
              </div>
            </li>
          ))}
          {watches > watchers.length && <li class="line soft">{words.moreWatchers(watches - watchers.length)}</li>}
        </ul>
      )}
    </Card>
  );
}

/** The codes that customers scan, as a sheet to print: the shop's own, and one for each table. */
import { useState } from "preact/hooks";
import { isTooLong, lengthOf } from "../shared/length.ts";
import { toast } from "../shared/toast.tsx";
import { ask, showError } from "./client.ts";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { copy } from "./copy.ts";
import { words } from "./dictionary.ts";
import { Card, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { Qr } from "./qr.tsx";
import { Failed, Waiting } from "./states.tsx";
import type { Table } from "./types.ts";
import { useQuery } from "./use_query.ts";

/** As on the server. */
const maxLabel = 32;

/** `A, 1-3` → A, 1, 2, 3. */
export function labelsOf(text: string): string[] {
  const parts = text.split(/[,，、;；\n]/).map((part) => part.trim());
  return parts
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [, from, to] = /^(\d{1,3})\s*[-–~～至到]\s*(\d{1,3})$/.exec(part) ?? [];
      if (from === undefined || Number(to) < Number(from) || Number(to) - Number(from) > 99) return [part];
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, nth) => String(Number(from) + nth));
    });
}

const storageKey = "orderbell:address";
const ownOnly = /^(localhost|127\.|\[::1\])/;

/** The address entered before, where storage is allowed; else this page's own. */
function readAddress(): string {
  try {
    return localStorage.getItem(storageKey) ?? location.origin;
  } catch {
    return location.origin;
  }
}

function saveAddress(address: string): void {
  try {
    localStorage.setItem(storageKey, address);
  } catch {
    // Without storage it lasts as long as the page.
  }
}

const originOf = (text: string): URL | undefined => {
  try {
    const url = new URL(text.trim());
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
};

export function Tables({ id, name }: { id: string; name: string }) {
  const {
    value: tables,
    failed,
    reload,
  } = useQuery(id, async () =>
    (await ask<{ tables: Table[] }>("GET", id, "/tables")).tables.sort((a, b) =>
      a.label.localeCompare(b.label, words.locale, { numeric: true }),
    ),
  );
  const [address, setAddress] = useState(readAddress);
  const [removing, setRemoving] = useState<Table>();
  const url = originOf(address);
  const shopLink = `${(url ?? new URL(location.origin)).origin}/?shop=${encodeURIComponent(id)}`;
  const linkOf = ({ token }: Table) => `${shopLink}&table=${encodeURIComponent(token)}`;

  if (tables === undefined)
    return failed === undefined ? <Waiting /> : <Failed error={failed} onRetry={() => void reload()} />;
  return (
    <div class="stack">
      <div class="columns no-print">
        <AddTables id={id} tables={tables} onDone={reload} />
        <Card title={words.address}>
          <TextField
            label={words.address}
            type="url"
            hint={words.addressHint}
            value={address}
            error={url === undefined ? words.addressWrong : undefined}
            onInput={(text) => {
              setAddress(text);
              if (originOf(text) !== undefined) saveAddress(text);
            }}
          />
          {url !== undefined && ownOnly.test(url.host) && <p class="note warn">{words.addressLocal}</p>}
        </Card>
      </div>
      <section class="card" aria-labelledby="codes">
        <header class="no-print">
          <div>
            <h2 id="codes">{words.codes}</h2>
            <p class="soft">{words.codesHint}</p>
          </div>
          <button type="button" class="button primary" onClick={() => print()}>
            {words.print}
          </button>
        </header>
        <ul class="sheet">
          <li>
            <p class="shop">{name}</p>
            <Qr text={shopLink} label={words.shopCode} />
            <p class="label">{words.shopCodeFor}</p>
            <p class="scan">{words.scanMe}</p>
            <p class="no-print">
              <button type="button" class="button small" onClick={() => copy(shopLink)}>
                {words.copyLink}
              </button>
              <a class="button small" href={shopLink} target="_blank" rel="noreferrer">
                {words.asCustomer}
              </a>
            </p>
          </li>
          {tables.map((table) => (
            <li key={table.token} data-slot>
              <p class="shop">{name}</p>
              <Qr text={linkOf(table)} label={words.codeOf(table.label)} />
              <p class="label">{words.table(table.label)}</p>
              <p class="scan">{words.scanMe}</p>
              <button
                type="button"
                class="button plain round no-print"
                aria-label={words.removeTable(table.label)}
                onClick={() => setRemoving(table)}
              >
                <Icon name="bin" size={20} />
              </button>
            </li>
          ))}
        </ul>
        {tables.length === 0 && <p class="soft no-print">{words.noTablesHint}</p>}
      </section>
      {removing !== undefined && (
        <ConfirmDialog
          title={words.removeTableAsk(removing.label)}
          hint={words.removeTableHint}
          yes={words.remove}
          onYes={async () => {
            await ask("DELETE", id, `/tables/${removing.token}`);
            await reload();
          }}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </div>
  );
}

function AddTables({ id, tables, onDone }: { id: string; tables: readonly Table[]; onDone(): Promise<unknown> }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const labels = labelsOf(text);
  const twin = labels.find(
    (label, at) => labels.indexOf(label) !== at || tables.some((table) => table.label === label),
  );
  const add = async () => {
    setBusy(true);
    try {
      await ask("POST", id, "/tables", { labels });
      setText("");
      await onDone();
      toast(words.saved);
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  const long = labels.find((label) => isTooLong(label, maxLabel));
  const wrong =
    twin !== undefined
      ? words.twin(twin)
      : long !== undefined
        ? `${long}: ${words.tooLong(maxLabel, lengthOf(long) - maxLabel)}`
        : undefined;
  return (
    <Card title={words.newTables}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (labels.length > 0 && wrong === undefined) void add();
        }}
      >
        <TextField label={words.labels} hint={words.labelsHint} value={text} error={wrong} onInput={setText} />
        <div class="row">
          <button type="submit" class="button primary" disabled={busy || labels.length === 0 || wrong !== undefined}>
            {words.addTables}
          </button>
        </div>
      </form>
    </Card>
  );
}

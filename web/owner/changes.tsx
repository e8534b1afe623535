/** Who changed what in the shop: the newest changes, and older ones on request. */
import { useState } from "preact/hooks";
import { ask, showError } from "./client.ts";
import { dateOf, words } from "./dictionary.ts";
import { Failed, Waiting } from "./states.tsx";
import type { Change } from "./types.ts";
import { useQuery } from "./use_query.ts";

interface Page {
  entries: Change[];
  more: boolean;
}

const perPage = 20;

export function Changes({ id }: { id: string }) {
  const pageOf = (before: string) => ask<Page>("GET", id, `/audit?limit=${perPage}${before}`);
  const { value: first, failed, reload } = useQuery(id, () => pageOf(""));
  const [older, setOlder] = useState<Page[]>([]);

  if (first === undefined)
    return failed === undefined ? <Waiting /> : <Failed error={failed} onRetry={() => void reload()} />;
  const pages = [first, ...older];
  const entries = pages.flatMap((page) => page.entries);
  const last = entries[entries.length - 1];
  return (
    <section class="card" aria-labelledby="changes">
      <header>
        <h2 id="changes">{words.changes}</h2>
      </header>
      {entries.length === 0 && <p class="soft">{words.noChanges}</p>}
      <ul class="list">
        {entries.map((entry) => (
          <li key={entry.id} class="line">
            <div class="name">
              <b>
                {words.changed[entry.action] ?? entry.action} {about(entry)}
              </b>
              <small>
                <span>{whoOf(entry)}</span>
                <span>{dateOf(entry.at)}</span>
              </small>
            </div>
          </li>
        ))}
      </ul>
      {pages[pages.length - 1]?.more === true && last !== undefined && (
        <button
          type="button"
          class="button"
          onClick={() => void pageOf(`&before=${last.id}`).then((page) => setOlder([...older, page]), showError)}
        >
          {words.olderChanges}
        </button>
      )}
    </section>
  );
}

/** The dish or the new device that the change was about. */
function about({ action, detail }: Change): string {
  const name = action === "pair" ? detail.device : detail.dish;
  return typeof name === "string" ? name : "";
}

function whoOf({ device, operator }: Change): string {
  if (device === null) return operator === null ? words.byServer : words.byOperator(operator);
  // A key's session has the key's name, and no role.
  const role = device.role === null ? words.key : words.role[device.role];
  return device.name === null ? role : words.byDevice(device.name, role);
}

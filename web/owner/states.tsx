/** Placeholders for content that is loading or failed to load. */
import { reasonOf } from "./client.ts";
import { words } from "./dictionary.ts";

export function Waiting() {
  return (
    <div class="stack" aria-busy="true">
      <div class="waiting block" />
      <div class="waiting block tall" />
      <div class="waiting block" />
    </div>
  );
}

export function Failed({ error, onRetry }: { error: unknown; onRetry(): void }) {
  return (
    <div class="empty">
      <p class="big">{words.failed}</p>
      <p>{reasonOf(error)}</p>
      <button type="button" class="button soft" onClick={onRetry}>
        {words.retry}
      </button>
    </div>
  );
}

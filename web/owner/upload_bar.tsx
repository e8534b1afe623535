/** The bar of an upload: how much has gone, whether it waits for the network, and how to cancel it. */
import { bytesOf, words } from "./dictionary.ts";

/** An upload as it is now. */
export interface Sending {
  /** The file, for those who hear it. */
  name: string;
  sent: number;
  total: number;
  /** There is no network; it goes on by itself. */
  waiting: boolean;
}

export function UploadBar({ sending, onCancel }: { sending: Sending; onCancel(): void }) {
  const { name, sent, total, waiting } = sending;
  return (
    <div class="upload">
      <div class="row spread">
        <progress value={sent} max={total || 1} aria-label={words.uploadOf(name)} />
        <button type="button" class="button small" onClick={onCancel}>
          {words.cancelUpload}
        </button>
      </div>
      {/* Figures change too often to be read out: the bar says them when it is asked. */}
      <p class="hint" aria-hidden="true">
        {bytesOf(sent)} / {bytesOf(total)}
      </p>
      <p class="hint" role="status">
        {waiting ? <span class="fault">{words.uploadWaiting}</span> : <span class="unseen">{words.uploading}</span>}
      </p>
    </div>
  );
}

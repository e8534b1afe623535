/** Confirmation of an action that cannot be undone. */
import { useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { showError } from "./client.ts";
import { words } from "./dictionary.ts";

export interface ConfirmDialogProps {
  title: string;
  hint: string;
  yes: string;
  /** The action; the dialog closes when it is done. */
  onYes(): Promise<unknown>;
  onClose(): void;
}

export function ConfirmDialog({ title, hint, yes, onYes, onClose }: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await onYes();
      onClose();
    } catch (error) {
      showError(error);
      setBusy(false);
    }
  };
  return (
    <Dialog
      middle
      title={title}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="button" class="button bad" disabled={busy} onClick={() => void go()}>
            {yes}
          </button>
        </>
      }
    >
      <p>{hint}</p>
    </Dialog>
  );
}

/** A question before something that cannot be taken back. */
import { useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { complain } from "./client.ts";
import { words } from "./speak.ts";

export interface AskFirstProps {
  title: string;
  hint: string;
  yes: string;
  /** The dialog closes when it is done. */
  onYes(): Promise<unknown>;
  onClose(): void;
}

export function AskFirst({ title, hint, yes, onYes, onClose }: AskFirstProps) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    setBusy(true);
    try {
      await onYes();
      onClose();
    } catch (error) {
      complain(error);
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

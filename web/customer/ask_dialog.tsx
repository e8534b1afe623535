/** A question with two answers; closing it is the first one. */
import { Dialog } from "../shared/dialog.tsx";
import { words } from "./dictionary.ts";

export interface AskDialogProps {
  title: string;
  hint: string;
  no: string;
  yes: string;
  /** What "yes" does cannot be undone. */
  bad?: boolean;
  busy?: boolean;
  onNo(): void;
  onYes(): void;
}

export function AskDialog({ title, hint, no, yes, bad, busy, onNo, onYes }: AskDialogProps) {
  return (
    <Dialog
      middle
      title={title}
      closeLabel={words.close}
      onClose={onNo}
      footer={
        <>
          <button type="button" class="button" onClick={onNo}>
            {no}
          </button>
          <button type="button" class={bad ? "button bad" : "button primary"} disabled={busy} onClick={onYes}>
            {yes}
          </button>
        </>
      }
    >
      <p>{hint}</p>
    </Dialog>
  );
}

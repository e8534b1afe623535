/** Confirmation dialog, for actions where a tap by mistake would do harm. */
import { Dialog } from "../shared/dialog.tsx";
import { words } from "./dictionary.ts";

export interface ConfirmDialogProps {
  title: string;
  hint: string;
  yes: string;
  onYes(): void;
  onClose(): void;
}

export function ConfirmDialog({ title, hint, yes, onYes, onClose }: ConfirmDialogProps) {
  return (
    <Dialog
      middle
      title={title}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            {words.keepOrder}
          </button>
          <button
            type="button"
            class="button bad"
            onClick={() => {
              onClose();
              onYes();
            }}
          >
            {yes}
          </button>
        </>
      }
    >
      <p>{hint}</p>
    </Dialog>
  );
}

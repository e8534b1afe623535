/** Yes or no, where a tap by mistake would cost something. */
import { Dialog } from "../shared/dialog.tsx";
import { words } from "./speak.ts";

export interface QuestionProps {
  title: string;
  hint: string;
  yes: string;
  onYes(): void;
  onClose(): void;
}

export function Question({ title, hint, yes, onYes, onClose }: QuestionProps) {
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

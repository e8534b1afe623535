/** Copying of a link to the clipboard. */
import { toast } from "../shared/toast.tsx";
import { words } from "./dictionary.ts";

/** The clipboard API exists only in a secure context; otherwise the text is copied through a selection. */
export function copy(text: string): void {
  const old = () => {
    const field = document.createElement("textarea");
    field.value = text;
    // Inside the dialog, since elements outside of it cannot take the focus.
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };
  const done = () => toast(words.copied);
  if (navigator.clipboard === undefined) {
    old();
    done();
  } else navigator.clipboard.writeText(text).catch(old).then(done);
}

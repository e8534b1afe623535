/** A dialog: it takes the focus and gives it back; Escape and a tap beside it close it. It is open while it is rendered. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export interface DialogProps {
  title: string;
  /** The label of the close button. */
  closeLabel: string;
  onClose(): void;
  /** Content fixed at the bottom while the rest scrolls. */
  footer?: ComponentChildren;
  /** In the middle of the page, for a question; else, on a phone, a sheet at the bottom. */
  middle?: boolean;
  children?: ComponentChildren;
}

export function Dialog({ title, closeLabel, onClose, footer, middle = false, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current as HTMLDialogElement;
    const opener = document.activeElement as HTMLElement | null;
    // iOS before 15.4 has no dialog element: CSS shows it over the page, and its own button closes it.
    if (typeof dialog.showModal === "function") dialog.showModal();
    else {
      dialog.setAttribute("open", "");
      dialog.classList.add("unaided");
    }
    return () => {
      dialog.close?.();
      // The opener may have been drawn anew, or removed; then the page itself has the focus.
      const back = opener?.isConnected ? opener : document.getElementById(opener?.id || "-");
      back?.focus({ preventScroll: true });
    };
  }, []);
  // What had the focus was removed: it stays in the dialog.
  useEffect(() => {
    if (document.activeElement === document.body) element.current?.focus();
  });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the dialog's own key
    <dialog
      ref={element}
      data-slot
      tabIndex={-1}
      class={middle ? "dialog middle" : "dialog"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <header>
        <h2 id={titleId}>{title}</h2>
        <button type="button" class="button plain round" aria-label={closeLabel} onClick={onClose}>
          <svg
            width="1.25rem"
            height="1.25rem"
            viewBox="0 0 20 20"
            stroke="currentColor"
            stroke-width="2"
            aria-hidden="true"
          >
            <path d="M4 4l12 12M16 4L4 16" stroke-linecap="round" />
          </svg>
        </button>
      </header>
      {children !== undefined && <div class="inside">{children}</div>}
      {footer !== undefined && <footer>{footer}</footer>}
    </dialog>
  );
}

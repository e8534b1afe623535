/** A dialog: focus goes in and comes back, Escape and a tap beside it close it. Rendered means open. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

export interface DialogProps {
  title: string;
  /** What the button with the cross is called. */
  closeLabel: string;
  onClose(): void;
  /** Stays below while the rest scrolls. */
  footer?: ComponentChildren;
  /** In the middle of the page, for a question; else a sheet that comes from below on a phone. */
  middle?: boolean;
  children?: ComponentChildren;
}

export function Dialog({ title, closeLabel, onClose, footer, middle = false, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current as HTMLDialogElement;
    const opener = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      // The opener may be gone; then the page itself has the focus, as without us.
      if (opener?.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the dialog's own key
    <dialog
      ref={element}
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
          <svg width="20" height="20" viewBox="0 0 20 20" stroke="currentColor" stroke-width="2" aria-hidden="true">
            <path d="M4 4l12 12M16 4L4 16" stroke-linecap="round" />
          </svg>
        </button>
      </header>
      {children !== undefined && <div class="inside">{children}</div>}
      {footer !== undefined && <footer>{footer}</footer>}
    </dialog>
  );
}

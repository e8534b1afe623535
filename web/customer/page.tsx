/** A page of its own: its name with a way back. The name takes the focus, so that a reader begins there. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { Icon } from "./icons.tsx";
import { leave } from "./place.ts";
import { words } from "./speak.ts";

export interface PageProps {
  title: string;
  onBack?: () => void;
  /** Stays at the lower edge. */
  footer?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, onBack = leave, footer, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="single">
      <header class="bar">
        <button type="button" class="button plain round" aria-label={words.back} onClick={onBack}>
          <Icon name="back" />
        </button>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        <LanguageSwitch />
      </header>
      <main>{children}</main>
      {footer !== undefined && <footer class="below">{footer}</footer>}
    </div>
  );
}

/** Nothing is here, and where to go instead. */
export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg
        width="88"
        height="72"
        viewBox="0 0 88 72"
        fill="none"
        stroke="currentColor"
        stroke-width="2.5"
        stroke-linecap="round"
        aria-hidden="true"
      >
        <path d="M14 36h60c0 15-11 25-22 27H36C25 61 14 51 14 36ZM30 68h28M32 26c-4-5 4-8 0-13M44 26c-4-5 4-8 0-13M56 26c-4-5 4-8 0-13" />
      </svg>
      <p class="big">{title}</p>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </div>
  );
}

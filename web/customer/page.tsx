/** Full page with its title and a back button. The title takes the focus, so that a screen reader begins there. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { goBack } from "./route.ts";

export interface PageProps {
  title: string;
  onBack?: () => void;
  /** Content fixed at the bottom. */
  footer?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, onBack = goBack, footer, children }: PageProps) {
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

/** An empty page's text, with a link elsewhere. */
export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name="bowl" size={84} />
      <p class="big">{title}</p>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </div>
  );
}

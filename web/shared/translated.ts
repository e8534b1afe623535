/**
 * Support for pages that the browser translates. A translator replaces a text node by a `<font>` with other words. Preact does not
 * notice: it would write into the removed node, so that an amount or a state never changes again, and it would insert beside a
 * node that is not in the page. So, before a part of the page is rendered again, its own text nodes are put back; the
 * translator then translates the new text. `translate="no"` excludes text that needs no translation.
 */
import { type Options, options } from "preact";

/** Preact's internals, as far as they are used: its own hooks and developer tools rely on the same names. */
interface Drawn {
  /** Set when this is rendered again; holds its DOM. */
  __c?: { __P?: Node | null } | null;
}
interface Hooks extends Options {
  /** Called before a part is compared with its last state. */
  __b?: (drawn: Drawn) => void;
}

/** The element that replaced a text. */
const originals = new Map<Node, Text>();

function recordFonts(changes: readonly MutationRecord[]): void {
  const put = new Map<Node, MutationRecord>();
  for (const change of changes)
    for (const node of change.addedNodes) if (node.nodeName === "FONT" && !originals.has(node)) put.set(node, change);
  if (put.size === 0) return;
  for (const change of changes)
    for (const node of change.removedNodes) {
      if (!(node instanceof Text)) continue;
      const fonts = [...put].filter(([font, added]) => hasReplaced(font, added, node, change));
      // Adjacent texts have one font element each.
      const [font] = fonts.find(([, added]) => added === change) ?? fonts[0] ?? [];
      if (font === undefined) continue;
      put.delete(font);
      originals.set(font, node);
    }
}

/** @returns whether `font` replaced `text`: in one step, inserted beside it before its removal, or at its former place */
const hasReplaced = (font: Node, added: MutationRecord, text: Text, removed: MutationRecord): boolean =>
  added === removed ||
  (added.target === removed.target &&
    (removed.previousSibling === font ||
      removed.nextSibling === font ||
      added.nextSibling === text ||
      added.previousSibling === text ||
      (added.previousSibling === removed.previousSibling && added.nextSibling === removed.nextSibling)));

const watcher = new MutationObserver(recordFonts);

function restore(within: Node): void {
  recordFonts(watcher.takeRecords());
  for (const [font, text] of originals) {
    if (!font.isConnected) originals.delete(font);
    else if (within.contains(font)) {
      originals.delete(font);
      font.parentNode?.replaceChild(text, font);
    }
  }
  // Discards the changes made here: they are not a translation.
  watcher.takeRecords();
}

/** From now on the page shows what Preact renders, also when a translator has changed it. */
export function supportTranslation(): void {
  const hooks: Hooks = options;
  const before = hooks.__b;
  hooks.__b = (drawn) => {
    const place = drawn.__c?.__P;
    if (place) restore(place);
    before?.(drawn);
  };
  watcher.observe(document.documentElement, { childList: true, subtree: true });
}

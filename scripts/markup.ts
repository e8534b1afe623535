/** Makes HTML from text, and from the subset of Markdown in descriptions. */

/** Finished HTML, so that nothing is escaped twice or not at all. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | undefined | false | readonly Part[];

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

function print(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return "html" in part ? part.html : part.map(print).join("");
}

/** A tagged template: its own text is HTML, each value is escaped unless it is HTML already. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.reduce((all, text, at) => all + print(parts[at - 1]) + text),
});

/** `code`, **strong** and *emphasis*. Code comes first: nothing in it is markup. */
export const inline = (text: string): Html => ({
  html: text
    .split(/(`[^`]+`)/)
    .map((piece) =>
      /^`[^`]+`$/.test(piece)
        ? `<code>${escaped(piece.slice(1, -1))}</code>`
        : escaped(piece)
            .replace(/\*\*(\S(?:.*?\S)?)\*\*/gs, "<strong>$1</strong>")
            .replace(/\*(\S(?:.*?\S)?)\*/gs, "<em>$1</em>"),
    )
    .join(""),
});

/** A whole page. @param sheet the path of its style sheet */
export const htmlPage = (title: string, sheet: string, body: Html): string =>
  `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>${title}</title>
<link rel="stylesheet" href="/${sheet}">
</head>
<body>
${body}
</body>
</html>`.html
  }\n`;

/** Paragraphs and flat lists, with an empty line between. */
export function markdown(text: string | undefined): Html {
  const blocks = (text ?? "").trim().split(/\n\s*\n/);
  return html`${blocks.map((block) => {
    if (block === "") return "";
    if (!block.startsWith("- ")) return html`<p>${inline(block)}</p>`;
    return html`<ul>${block
      .slice(2)
      .split(/\n- /)
      .map((item) => html`<li>${inline(item)}</li>`)}</ul>`;
  })}`;
}

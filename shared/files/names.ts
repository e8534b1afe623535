/** Names of files: any script, given back exactly as they came. In a header they stand by RFC 6266 and RFC 8187. */
import * as v from "valibot";
import { lengthOf, whyRefused } from "../text.ts";

/** Signs of a name. */
export const maxName = 255;

/** Whether marks turn the direction of what stands behind them: `photo` and `gpj.exe` would read as a picture's name. */
export const hasTurns = (name: string): boolean => /[\u202A-\u202E\u2066-\u2069]/u.test(name);

/** Line ends and tabs are controls too: a name is one line. */
export const hasControls = (name: string): boolean =>
  /\p{Cc}|[\u2028\u2029]/u.test(name) || whyRefused(name) !== undefined;

function whyNoName(name: string): string | undefined {
  if (name === "" || name === "." || name === "..") return "a name";
  if (/[/\\]/.test(name)) return "a name without / and \\";
  if (hasControls(name)) return "a name without control characters";
  if (hasTurns(name)) return "a name without marks that turn its direction";
  return lengthOf(name) > maxName ? `a name of at most ${maxName} characters` : undefined;
}

export const fileName = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const why = dataset.typed ? whyNoName(dataset.value) : undefined;
    if (why !== undefined) addIssue({ message: why });
  }),
);

/** What a percent sign must stand for in `filename*`: all but RFC 8187's attr-char. */
const encoded = (name: string) =>
  encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** `Content-Disposition`, with a name for old clients and the whole one. */
export function disposition(how: "inline" | "attachment", name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  return `${how}; filename="${plain}"; filename*=UTF-8''${encoded(name)}`;
}

/** Translates the parameters for TLS in database addresses. Providers, drivers and tools name them differently; none is ignored. */

/**
 * `require` encrypts, as libpq and MySQL mean it, and checks a certificate only against an authority that was given;
 * `unverified` asks explicitly for no check.
 */
export type TlsMode = "off" | "unverified" | "require" | "verify-ca" | "verify-full";

/** From the loosest to the strictest: of several words in one address the strictest holds. */
const strictness: readonly TlsMode[] = ["off", "unverified", "require", "verify-ca", "verify-full"];

/** The meaning of a word: TLS or not, and which check. `undefined`: it has none. */
type Word = (value: string) => TlsMode | undefined;

const modes: Readonly<Record<string, TlsMode>> = {
  // libpq. `allow` and `prefer` would fall back to plain text: here they must be TLS, or be left out.
  disable: "off",
  allow: "require",
  prefer: "require",
  require: "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
  // node-postgres.
  "no-verify": "unverified",
  // MySQL, and what its connectors made of it.
  disabled: "off",
  preferred: "require",
  required: "require",
  verify_ca: "verify-ca",
  verify_identity: "verify-full",
};
const yesNo: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  yes: true,
  false: false,
  "0": false,
  no: false,
};

const mode: Word = (value) => modes[value.toLowerCase()];
const onOff =
  (on: TlsMode | "", off: TlsMode | ""): Word =>
  (value) => {
    const said = yesNo[value.toLowerCase()];
    return said === undefined ? undefined : (said ? on : off) || undefined;
  };

/** `ssl=true`, `ssl={"rejectUnauthorized":true}`, `ssl=no-verify`: mysql2's and node-postgres' own. */
const ssl: Word = (value) => {
  if (yesNo[value] !== undefined) return yesNo[value] ? "verify-full" : "off";
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
      return "rejectUnauthorized" in parsed && parsed.rejectUnauthorized === false ? "unverified" : "verify-full";
  } catch {
    // Not JSON: a word.
  }
  return mode(value);
};

/** The word's name in small letters without `-` and `_` → its meaning. */
const words: Readonly<Record<string, Word>> = {
  sslmode: mode,
  ssl,
  // Prisma, PlanetScale, TiDB.
  sslaccept: (value) => (({ strict: "verify-full", accept_invalid_certs: "unverified" }) as const)[value.toLowerCase()],
  // Go.
  tls: (value) =>
    value.toLowerCase() === "skip-verify" ? "unverified" : (onOff("verify-full", "off")(value) ?? mode(value)),
  // Java.
  usessl: onOff("require", "off"),
  requiressl: onOff("require", ""),
  verifyservercertificate: onOff("verify-ca", "unverified"),
  // Python.
  sslverifycert: onOff("verify-ca", "unverified"),
  sslverifyidentity: onOff("verify-full", ""),
  ssldisabled: onOff("off", ""),
};
/** Words for which `false` has no meaning. */
const silent = new Set(["requiressl", "sslverifyidentity", "ssldisabled"]);

const plainName = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "");

export const isTlsWord = (name: string): boolean => plainName(name) in words;

/**
 * @returns the strictest demand of the words; undefined when there are none
 * @throws Error whose message names the word
 */
export function readTlsWords(given: readonly (readonly [string, string])[]): TlsMode | undefined {
  let asked: { readonly mode: TlsMode; readonly name: string } | undefined;
  for (const [name, value] of given) {
    const key = plainName(name);
    const said = words[key]?.(value);
    if (said === undefined) {
      if (silent.has(key) && yesNo[value.toLowerCase()] !== undefined) continue;
      throw new TypeError(`has a word for TLS that is not known here, "${name}=${value.slice(0, 40)}"`);
    }
    if (asked !== undefined && (asked.mode === "off") !== (said === "off"))
      throw new TypeError(`has words that contradict each other, "${asked.name}" and "${name}"`);
    if (asked === undefined || stricter(said, asked.mode)) asked = { mode: said, name };
  }
  return asked?.mode;
}

const stricter = (a: TlsMode, b: TlsMode) => strictness.indexOf(a) > strictness.indexOf(b);

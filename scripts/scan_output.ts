/** Finds secrets and personal data in the output of tests, which use recognisable ones. */

const forbidden: readonly [string, RegExp][] = [
  ["a session token", /ob[wgso]_[0-9A-HJKMNP-TV-Z]{52}[A-Za-z0-9_-]{32}/],
  ["a ticket", /obt_[A-Za-z0-9_-]{32}/],
  ["an API key", /obk_[A-Za-z0-9_-]{43}/],
  ["a pairing code", /(?<![\w-])[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}(?![\w-])/],
  ["a tunnel's ticket", /ticket=[A-Za-z0-9_-]{32}/],
  ["a room's grant", /eyJyb29t[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}/],
  ["a telephone number", /1390000\d{4}/],
  ["a name", /王小明/],
  ["an address", /测试路/],
  ["a key", /c2lnbmluZy1rZXk|d2VjaGF0LWtleS/],
  ["a WeChat session_key or secret", /session_key"\s*:|"secret"\s*:/],
  ["a network address", /203\.0\.113\.\d+/],
];

/** @returns the kind of each find and its event's name; never the value itself */
export function scan(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const event = /^\{[^{]*?"event":"([a-z._]+)"/.exec(line)?.[1] ?? "no event";
    return forbidden.filter(([, pattern]) => pattern.test(line)).map(([what]) => `${what} in a line of "${event}"`);
  });
}

/** Keys of the demo, made once and stored in its folder. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Keys {
  readonly SIGNING_KEY: string;
  readonly WECHAT_KEY: string;
}

export function demoKeys(home: string): Keys {
  const path = join(home, "keys.json");
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const make = () => randomBytes(32).toString("base64");
  const keys = { SIGNING_KEY: make(), WECHAT_KEY: make() };
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}

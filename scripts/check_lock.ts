/** Holds package-lock.json against itself: a package for another system that is not in it makes `npm ci` fail for everybody. */
import { readFileSync } from "node:fs";

interface Lock {
  packages: Record<string, { version?: string; resolved?: string; optionalDependencies?: Record<string, string> }>;
}

/** @returns what is missing, and addresses of a registry, which differ from place to place */
export function checkLock(text = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")): string[] {
  const { packages } = JSON.parse(text) as Lock;
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {}, resolved }]) => [
    ...Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} wants ${name}, which is not in the lock file`),
    ...(resolved?.startsWith("http") ? [`${path} names the address it came from`] : []),
  ]);
}

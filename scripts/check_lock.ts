/**
 * Checks package-lock.json: if a package for another operating system is missing, `npm ci` fails there; if a package rejects a
 * Node version that we support, `npm ci` warns of EBADENGINE.
 */
import { readFileSync } from "node:fs";
import { satisfies } from "semver";

interface Lock {
  packages: Record<string, Package>;
}

interface Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
  /** A tool needs it, and it is an optional peer of a production package: `npm ci --omit=dev` installs it. */
  readonly devOptional?: boolean;
  readonly engines?: { readonly node?: string };
}

/** The oldest release of each line that `engines` in package.json names, and the newest line. */
const nodes = ["20.19.0", "22.13.0", "24.0.0", "26.0.0"];

/** @returns missing packages, addresses of a registry (they differ between machines), rejected Node versions, and tools in production */
export function checkLock(text = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")): string[] {
  const { packages } = JSON.parse(text) as Lock;
  const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {}, resolved, engines, devOptional }]) => [
    ...Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `${path} wants ${name}, which is not in the lock file`),
    ...(resolved?.startsWith("http") ? [`${path} names the address it came from`] : []),
    ...(devOptional ? [`${path} comes with npm ci --omit=dev, for an optional peer only`] : []),
    ...nodes
      .filter((node) => !satisfies(node, engines?.node ?? "*"))
      .map((node) => `${path || "package.json"} wants Node ${engines?.node}, so not ${node}`),
  ]);
}

/**
 * `npm run sizes`: the size of each dependency on this disk, for the table in docs/choices.md. `own` is its folder, `with parts`
 * includes its dependencies, `saved` is what its removal would save: itself and dependencies that nothing else needs.
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";

interface Package {
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Package> };

/** Finds a package as Node does: beside the package that imports it, else further out. */
function find(name: string, from: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === "") return undefined;
  }
}

function partsOf(path: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = packages[path] ?? {};
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  return names.map((name) => find(name, path)).filter((part) => part !== undefined);
}

/** These packages and all their dependencies. */
function reachedFrom(paths: readonly string[]): Set<string> {
  const reached = new Set(paths);
  for (const path of reached) for (const part of partsOf(path)) reached.add(part);
  return reached;
}

/** esbuild's binary has two names but is stored once. */
const counted = new Set<number>();

/** Blocks of the disk, as `du` counts. Packages inside another are counted separately. */
function bytesOf(path: string): number {
  if (!existsSync(path)) return 0;
  const stat = lstatSync(path);
  if (counted.has(stat.ino)) return 0;
  counted.add(stat.ino);
  const entries = stat.isDirectory() ? readdirSync(path) : [];
  const inside = entries.filter((entry) => entry !== "node_modules").map((entry) => bytesOf(`${path}/${entry}`));
  return inside.reduce((bytes, more) => bytes + more, stat.blocks * 512);
}

const sizes = new Map(Object.keys(packages).map((path) => [path, path === "" ? 0 : bytesOf(path)]));
const sum = (paths: Iterable<string>) => [...paths].reduce((bytes, path) => bytes + (sizes.get(path) ?? 0), 0);
const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1).padStart(7);

const { dependencies = {}, devDependencies = {} } = packages[""] ?? {};
const direct = Object.keys({ ...dependencies, ...devDependencies }).map((name) => `node_modules/${name}`);
const all = sum(reachedFrom(direct));
const rows = direct.map((path) => {
  const others = sum(reachedFrom(direct.filter((other) => other !== path)));
  return { path, own: sizes.get(path) ?? 0, parts: sum(reachedFrom([path])), saved: all - others };
});

console.log(`${"MB: own".padStart(7)} with parts   saved`);
for (const { path, own, parts, saved } of rows.toSorted((a, b) => b.parts - a.parts))
  console.log(`${mb(own)}    ${mb(parts)} ${mb(saved)}  ${path.slice("node_modules/".length)}`);
console.log(
  `${mb(all)} MB in all, ${mb(sum(reachedFrom(Object.keys(dependencies).map((name) => `node_modules/${name}`))))} of them in production`,
);

/** The benchmark's documents: each workload has its lines, each peer is named, and every target belongs to a workload. */
import { readdirSync, readFileSync } from "node:fs";
import { workloads } from "../../bench/_all.ts";
import { targets } from "../../bench/_targets.ts";
import { checkLock } from "../../scripts/check_lock.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const readme = read("bench/README.md");

describe("bench/README.md", () => {
  it.each(workloads.map(({ name }) => [name]))("says what a number of %s means, and has it in its table", (name) => {
    expect(readme).toMatch(new RegExp(`^### ${name}$`, "m"));
    expect(readme).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "m"));
  });

  it("names every peer", () => {
    const peers = readdirSync(new URL("../../bench/peers/", import.meta.url))
      .filter((file) => /^[a-z].*\.(ts|mjs)$/.test(file))
      .map((file) => file.replace(/\..*/, ""));
    expect(peers.filter((peer) => !readme.includes(`\`${peer}\``))).toEqual([]);
  });
});

describe("targets", () => {
  it("belong to workloads that there are", () => {
    const names = workloads.map(({ name }) => name);
    expect(targets.filter(({ workload }) => !names.includes(workload))).toEqual([]);
  });
});

describe("the peers' lock file", () => {
  it("names no registry and suits every Node that we support", () => {
    expect(checkLock(read("bench/peers/package-lock.json"))).toEqual([]);
  });
});

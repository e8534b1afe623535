/** A shop of one's own out of this project: `serverless create` under another name, and what that packages. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const root = join(__dirname, "../..");
/** What a clone does not have. */
const own = new Set(["node_modules", "dist", ".git", ".serverless", ".orderbell", "coverage"]);

it("is created from a clone and packages under its own name, without a network", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-create-"));
  const [clone, shop] = [join(folder, "clone"), join(folder, "new-shop")];
  const serverless = (cwd: string, ...words: string[]) =>
    promisify(execFile)(
      process.execPath,
      [
        "--require",
        join(__dirname, "_no_network.cjs"),
        join(root, "node_modules/serverless/bin/serverless.js"),
        ...words,
      ],
      { cwd, env: { PATH: process.env.PATH, HOME: join(folder, "home"), TMPDIR: folder } },
    );
  try {
    cpSync(root, clone, { recursive: true, filter: (path) => !own.has(basename(path)) });
    await serverless(folder, "create", `--template-path=${clone}`, `--path=${shop}`, "--name=my-shop");
    // In place of `npm ci`.
    symlinkSync(join(root, "node_modules"), join(shop, "node_modules"));
    await serverless(shop, "package");
    const read = (path: string) => readFileSync(join(shop, path), "utf8");
    expect(JSON.parse(read("package.json")).name).toBe("my-shop");
    const template = read(".serverless/cloudformation-template-update-stack.json");
    expect(template).toContain('"FunctionName": "my-shop-dev-bill"');
    expect(template).not.toContain("orderbell-dev");
    // Its own source and its own pages, not those that it came from.
    expect(readFileSync(join(shop, ".serverless/pages.zip")).length).toBeGreaterThan(50_000);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

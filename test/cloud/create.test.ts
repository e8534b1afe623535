/** A new project made from this one: `serverless create` under another name, and its package. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { serverless } from "./_package.ts";

const root = join(__dirname, "../..");
/** What a clone does not have. */
const own = new Set(["node_modules", "dist", ".git", ".serverless", ".orderbell", "coverage"]);

it("a project created from a clone packages under its own name, without a network", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-create-"));
  const [clone, shop] = [join(folder, "clone"), join(folder, "new-shop")];
  const done = async (cwd: string, ...words: string[]) => {
    const { code, said } = await serverless(cwd, words);
    if (code !== 0) throw new Error(said);
  };
  try {
    cpSync(root, clone, { recursive: true, filter: (path) => !own.has(basename(path)) });
    await done(folder, "create", `--template-path=${clone}`, `--path=${shop}`, "--name=my-shop");
    // In place of `npm ci`.
    symlinkSync(join(root, "node_modules"), join(shop, "node_modules"));
    await done(shop, "package");
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

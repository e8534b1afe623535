/** The lock of the embedded database's folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectoryLocked, lockDirectory } from "../../db/lock_file.ts";

describe("a locked folder", () => {
  let folder: string;
  const lock = () => join(folder, "lock");
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("has one owner at a time, in one process too", async () => {
    const release = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toBeInstanceOf(DirectoryLocked);
    release();
    (await lockDirectory(folder))();
  });

  it("has one owner when several want it at once", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => lockDirectory(folder)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("is refused while another process has it, and taken over when that one is gone", async () => {
    writeFileSync(lock(), String(process.ppid));
    await expect(lockDirectory(folder)).rejects.toThrow(`in use by process ${process.ppid}`);
    // No system counts so far.
    writeFileSync(lock(), "2147483646");
    const release = await lockDirectory(folder);
    expect(readFileSync(lock(), "utf8")).toBe(String(process.pid));
    release();
  });

  it("is taken over from an earlier process of the same number, as in a container that was killed", async () => {
    writeFileSync(lock(), String(process.pid));
    (await lockDirectory(folder))();
  });
});

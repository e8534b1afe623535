/** The command socket of a server whose folder has a long path: it is in the system's temporary folder, if this user owns it there. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { newSocketPath } from "../../cli/admin_socket.ts";
import { ConfigError } from "../../shared/config.ts";

describe("the fallback folder of the command socket", () => {
  let temporary: string;
  let home: string;
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), "ob-"));
    home = join(temporary, "a".repeat(60), "b".repeat(60));
  });
  afterEach(() => {
    rmSync(temporary, { recursive: true, force: true });
  });
  const ours = () => join(temporary, `orderbell-${process.getuid?.()}`);

  it("is created for this user alone, and used again", () => {
    const path = newSocketPath(home, temporary);
    expect(dirname(path)).toBe(ours());
    expect(statSync(ours()).mode & 0o777).toBe(0o700);
    const other = newSocketPath(home, temporary);
    expect([dirname(other), other === path]).toEqual([ours(), false]);
  });

  it.each<[string, (folder: string) => void]>([
    ["others may enter", (folder) => mkdirSync(folder, { mode: 0o755 })],
    [
      "others may write",
      (folder) => {
        mkdirSync(folder);
        chmodSync(folder, 0o777);
      },
    ],
    [
      "is a way to another one",
      (folder) => {
        mkdirSync(`${folder}-real`, { mode: 0o700 });
        symlinkSync(`${folder}-real`, folder);
      },
    ],
  ])("is refused when it %s, with a sentence", (_, make) => {
    make(ours());
    expect(() => newSocketPath(home, temporary)).toThrow(ConfigError);
    expect(() => newSocketPath(home, temporary)).toThrow(`${basename(ours())} is not a folder of this user alone`);
  });

  it("is refused when another user created it", () => {
    mkdirSync(ours(), { mode: 0o700 });
    const uid = process.getuid?.() ?? 0;
    const getuid = jest.spyOn(process, "getuid").mockReturnValue(uid + 1);
    try {
      mkdirSync(join(temporary, `orderbell-${uid + 1}`), { mode: 0o700 });
      expect(() => newSocketPath(home, temporary)).toThrow("is not a folder of this user alone");
    } finally {
      getuid.mockRestore();
    }
  });
});

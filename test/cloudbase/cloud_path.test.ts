/** Paths and ids of files, as CloudBase's clients name them. */
import fc from "fast-check";
import { fileIdOf, pathOf, shownName, whyNoPath } from "../../shared/cloudbase/cloud_path.ts";

describe("a cloud path", () => {
  it.each([
    "a.png",
    "avatars/2026/面条 红烧.png",
    "Ω/данные/٣.txt",
    "👩‍👩‍👧.gif",
    "100%/a?b#c&d=e.txt",
    "x".repeat(1_000),
    "面".repeat(1_000),
    "...",
    ".hidden/..a/b..",
  ])("is taken in any script: %s", (path) => {
    expect(whyNoPath(path)).toBeUndefined();
    expect(pathOf(fileIdOf(path))).toBe(path);
  });

  it.each([
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../a",
    "a/../b",
    "a/.",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "a\u007fb",
    "a\u2028b",
    "a\ud800b",
    "a\u202Egpj.exe",
    "a\ufffeb",
    "x".repeat(1_001),
    "👩".repeat(1_001),
  ])("is refused where it leads out, hides something or is too long: %j", (path) => {
    expect(whyNoPath(path)).toMatch(/^a path/);
    expect(pathOf(`cloud://env.bucket/${path}`)).toBeUndefined();
  });

  it("is found in an id of any environment and bucket", () => {
    expect(pathOf("cloud://my-env-1a2b.6d79-my-env-1a2b-1250000000/a/b.png")).toBe("a/b.png");
    for (const wrong of [
      "",
      "a/b.png",
      "cloud://",
      "cloud://x",
      "cloud:///a",
      "https://x/a",
      "CLOUD://x/a",
      "cloud://x y/a",
    ])
      expect(pathOf(wrong)).toBeUndefined();
  });

  it("gives a name that encodes to an address and back, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (path) => {
        const name = shownName(path);
        if (!name.isWellFormed() || /[\p{Cc}\\]/u.test(name)) return;
        const url = new URL(encodeURI(`http://host/x/${name === "" ? "-" : name}`));
        expect([url.search, url.hash]).toEqual(["", ""]);
      }),
    );
  });
});

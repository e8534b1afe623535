/** A map with a bound. */
import { Recent } from "../../shared/recent.ts";

describe("a map that forgets", () => {
  it("keeps as many as its bound, the youngest ones", () => {
    const recent = new Recent<string, number>(2);
    for (const [at, key] of ["a", "b", "c"].entries()) recent.set(key, at);
    expect(["a", "b", "c"].map((key) => recent.get(key))).toEqual([undefined, 1, 2]);
  });

  it("takes an entry that is set again for the youngest", () => {
    const recent = new Recent<string, number>(2);
    recent.set("a", 1);
    recent.set("b", 2);
    recent.set("a", 3);
    recent.set("c", 4);
    expect(["a", "b", "c"].map((key) => recent.get(key))).toEqual([3, undefined, 4]);
  });

  it("has none that was deleted", () => {
    const recent = new Recent<string, number>(2);
    recent.set("a", 1);
    recent.delete("a");
    expect(recent.get("a")).toBeUndefined();
  });
});

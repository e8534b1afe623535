/** The figures of the example "one stroke": each can be drawn, and the rules refuse what is no stroke. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

type Drawing = number[];
interface Figure {
  readonly id: string;
  readonly names: { readonly zh: string; readonly en: string };
  readonly points: readonly [number, number][];
  readonly lines: readonly [number, number][];
}
interface Rules {
  readonly figures: readonly Figure[];
  drawnLines(drawing: Drawing): [number, number][];
  isFinished(figure: Figure, drawing: Drawing): boolean;
  isStuck(figure: Figure, drawing: Drawing): boolean;
  mayGo(figure: Figure, drawing: Drawing, point: number): boolean;
  oddPoints(figure: Figure): number[];
  pointAt(figure: Figure, x: number, y: number): number | undefined;
}

/** A page's module: it has no types, and is no part of this project's build. */
function rulesOf(path: string): Rules {
  const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  const module = { exports: {} };
  new Function("module", "exports", transformSync(text, { format: "cjs" }).code)(module, module.exports);
  return module.exports as Rules;
}
const rules = rulesOf("../../examples/shared/stroke/figures.js");
const { figures, mayGo, isFinished, isStuck, oddPoints, pointAt } = rules;

/** By trying everything, and by nothing that the rules themselves say of odd points. */
function solutionFrom(figure: Figure, drawing: Drawing): Drawing | undefined {
  if (isFinished(figure, drawing)) return drawing;
  for (const point of figure.points.keys()) {
    if (!mayGo(figure, drawing, point)) continue;
    const found = solutionFrom(figure, [...drawing, point]);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("the figures of one stroke", () => {
  it("are at least ten, with ids, names and lines of their own", () => {
    expect(figures.length).toBeGreaterThanOrEqual(10);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    for (const { names, points, lines } of figures) {
      expect(Object.values(names).every((name) => name !== "")).toBe(true);
      expect(lines.flat().every((point) => points[point] !== undefined)).toBe(true);
      expect(new Set(lines.map((line) => [...line].sort((a, b) => a - b).join())).size).toBe(lines.length);
      expect(points.flat().every((value) => value >= 0 && value <= 100)).toBe(true);
    }
  });

  it.each(figures.map((figure) => [figure.id, figure] as const))(
    "%s can be drawn, from the hinted points alone",
    (_, figure) => {
      const odd = oddPoints(figure);
      expect([0, 2]).toContain(odd.length);
      const starts = [...figure.points.keys()].filter((point) => solutionFrom(figure, [point]) !== undefined);
      expect(starts).toEqual(odd.length === 0 ? [...figure.points.keys()] : odd);
    },
  );

  it.each(figures.map((figure) => [figure.id, figure] as const))(
    "%s has no point that a finger on a line meets by chance",
    (_, figure) => {
      for (const [from, to] of figure.lines) {
        const [[x1, y1], [x2, y2]] = [figure.points[from], figure.points[to]] as [[number, number], [number, number]];
        for (let part = 0; part <= 1; part += 0.02) {
          const met = pointAt(figure, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part);
          expect([undefined, from, to]).toContain(met);
        }
      }
    },
  );
});

describe("the rules of one stroke", () => {
  const sun = figures.find(({ id }) => id === "sun") as Figure;

  it("let a finger go along a line that is not drawn yet, and along no other", () => {
    expect(mayGo(sun, [], 4)).toBe(true);
    expect(mayGo(sun, [2], 5)).toBe(true);
    expect(mayGo(sun, [2], 4)).toBe(false);
    expect(mayGo(sun, [2, 5], 2)).toBe(false);
    expect(mayGo(sun, [2], 2)).toBe(false);
  });

  it("tell a drawing that cannot go on from one that is finished", () => {
    expect(isStuck(sun, [0, 1, 2, 5, 0])).toBe(true);
    expect(isStuck(sun, [2, 5, 0, 1, 2])).toBe(false);
    expect(isFinished(sun, [2, 5, 0, 1, 2, 3, 4, 5])).toBe(true);
    expect(isStuck(sun, [2, 5, 0, 1, 2, 3, 4, 5])).toBe(false);
  });

  it("find the nearest point within reach", () => {
    expect(pointAt(sun, 27, 13)).toBe(0);
    expect(pointAt(sun, 50, 30)).toBeUndefined();
  });
});

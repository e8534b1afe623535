/** The figures of "one stroke", and its rules, as in examples/shared/stroke/figures.js, which says more of them. */

interface Names {
  readonly zh: string;
  readonly en: string;
}

export interface Figure {
  readonly id: string;
  readonly names: Names;
  /** In a square of 100. */
  readonly points: readonly (readonly [number, number])[];
  readonly lines: readonly (readonly [number, number])[];
}

const declared: readonly [string, Names, string, string][] = [
  ["triangle", { zh: "三角", en: "Triangle" }, "50,12 90,82 10,82", "ab bc ca"],
  ["envelope", { zh: "信封", en: "Envelope" }, "20,40 80,40 80,90 20,90 50,8", "ab bc cd da ac bd ae be"],
  ["sun", { zh: "日", en: "Two windows" }, "25,10 75,10 75,50 75,90 25,90 25,50", "ab bc cd de ef fa cf"],
  ["star", { zh: "五角星", en: "Star" }, "50,8 76,90 8,40 92,40 24,90", "ab bc cd de ea"],
  ["kite", { zh: "风筝", en: "Kite" }, "50,6 85,38 50,70 15,38 62,94", "ab bc cd da ac ce"],
  ["middle", { zh: "中", en: "Flag" }, "50,5 50,25 85,25 85,60 50,60 15,60 15,25 50,95", "ab bc cd de ef fg gb be eh"],
  ["fish", { zh: "小鱼", en: "Fish" }, "6,50 38,20 68,50 38,80 94,24 94,76", "ab bc cd da bd ce ef fc"],
  ["boat", { zh: "帆船", en: "Boat" }, "8,66 50,66 92,66 72,92 28,92 50,8 84,52", "ab bc cd de ea bf fg gb"],
  [
    "lantern",
    { zh: "灯笼", en: "Lantern" },
    "50,5 85,30 85,70 50,95 15,70 15,30 50,50",
    "ab bc cd de ef fa fb ce fg gc bg ge",
  ],
  [
    "skewer",
    { zh: "串", en: "Skewer" },
    "50,4 50,16 80,16 80,42 50,42 20,42 20,16 50,56 85,56 85,82 50,82 15,82 15,56 50,97",
    "ab bc cd de ef fg gb be eh hi ij jk kl lm mh hk kn",
  ],
  ["gem", { zh: "宝石", en: "Gem" }, "50,6 94,38 77,90 23,90 6,38", "ab bc cd de ea ac ce eb bd da"],
  [
    "snow",
    { zh: "雪花", en: "Snowflake" },
    "50,5 63,27 89,27 76,50 89,73 63,73 50,95 37,73 11,73 24,50 11,27 37,27",
    "ab bd df fh hj jl la bc cd de ef fg gh hi ij jk kl bl",
  ],
];

const at = (letter: string) => letter.charCodeAt(0) - 97;
const pairOf = (texts: readonly string[], read: (text: string) => number) =>
  [read(texts[0] ?? ""), read(texts[1] ?? "")] as const;

export const figures: readonly Figure[] = declared.map(([id, names, points, lines]) => ({
  id,
  names,
  points: points.split(" ").map((point) => pairOf(point.split(","), Number)),
  lines: lines.split(" ").map((line) => pairOf(line.split(""), at)),
}));

/** The points that the finger has passed, in their order. */
export type Drawing = readonly number[];
type Line = readonly [number, number];

const same = ([a, b]: Line, [c, d]: Line) => (a === c && b === d) || (a === d && b === c);

export const drawnLines = (drawing: Drawing): Line[] =>
  drawing.slice(1).map((point, nth) => [drawing[nth] as number, point]);

export const isFinished = (figure: Figure, drawing: Drawing): boolean => drawing.length === figure.lines.length + 1;

export function mayGo({ lines }: Figure, drawing: Drawing, point: number): boolean {
  const last = drawing[drawing.length - 1];
  if (last === undefined) return true;
  const line: Line = [last, point];
  return lines.some((one) => same(one, line)) && !drawnLines(drawing).some((one) => same(one, line));
}

export const isStuck = (figure: Figure, drawing: Drawing): boolean =>
  !isFinished(figure, drawing) && figure.points.every((_, point) => !mayGo(figure, drawing, point));

export const oddPoints = ({ points, lines }: Figure): number[] =>
  points.flatMap((_, point) => (lines.filter((line) => line.includes(point)).length % 2 === 1 ? [point] : []));

export function pointAt({ points }: Figure, x: number, y: number, reach = 11): number | undefined {
  const far = points.map(([px, py]) => Math.hypot(px - x, py - y));
  const least = Math.min(...far);
  return least <= reach ? far.indexOf(least) : undefined;
}

/** What is used of a canvas. */
interface Brush {
  fillStyle: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  beginPath(): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
}

export function paint(brush: Brush, size: number, { points }: Figure, drawing: Drawing): void {
  brush.fillStyle = "#fffaf2";
  brush.fillRect(0, 0, size, size);
  Object.assign(brush, { strokeStyle: "#15803d", lineWidth: size / 32, lineCap: "round", lineJoin: "round" });
  brush.beginPath();
  for (const point of drawing) {
    const [x, y] = points[point] ?? [0, 0];
    brush.lineTo((x * size) / 100, (y * size) / 100);
  }
  brush.stroke();
}

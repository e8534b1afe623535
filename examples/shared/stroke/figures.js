/**
 * The figures of "one stroke", and its rules. A figure is points and lines between them, each drawn once, without lifting the finger.
 * A drawing is the list of points that the finger has passed: everything else follows from it.
 */

/** `points` lie in a square of 100, and are called a, b, c … in `lines`, where each pair of letters is a line. */
const declared = [
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

const at = (letter) => letter.charCodeAt(0) - 97;

export const figures = declared.map(([id, names, points, lines]) => ({
  id,
  names,
  points: points.split(" ").map((point) => point.split(",").map(Number)),
  lines: lines.split(" ").map(([from, to]) => [at(from), at(to)]),
}));

const same = ([a, b], [c, d]) => (a === c && b === d) || (a === d && b === c);

/** The lines that a drawing has drawn, as pairs of points. */
export const drawnLines = (drawing) => drawing.slice(1).map((point, nth) => [drawing[nth], point]);

export const isFinished = (figure, drawing) => drawing.length === figure.lines.length + 1;

/** Whether the finger may go to this point next: to any at first, then only along a line that is not drawn yet. */
export function mayGo({ lines }, drawing, point) {
  if (drawing.length === 0) return true;
  const line = [drawing.at(-1), point];
  return lines.some((one) => same(one, line)) && !drawnLines(drawing).some((one) => same(one, line));
}

/** Whether the drawing cannot go on, and is not finished: something must be undone. */
export const isStuck = (figure, drawing) =>
  !isFinished(figure, drawing) && figure.points.every((_, point) => !mayGo(figure, drawing, point));

/** The points where an odd number of lines ends: with two of them, a drawing must begin at one and ends at the other. */
export const oddPoints = ({ points, lines }) =>
  points.flatMap((_, point) => (lines.filter((line) => line.includes(point)).length % 2 === 1 ? [point] : []));

/** The nearest point to a place, within reach of a finger. */
export function pointAt({ points }, x, y, reach = 11) {
  const far = points.map(([px, py]) => Math.hypot(px - x, py - y));
  const nearest = far.indexOf(Math.min(...far));
  return far[nearest] <= reach ? nearest : undefined;
}

/** Paints a drawing on a canvas of so many points: a page's and a mini-program's have the same brush. */
export function paint(brush, size, { points }, drawing) {
  brush.fillStyle = "#fffaf2";
  brush.fillRect(0, 0, size, size);
  Object.assign(brush, { strokeStyle: "#15803d", lineWidth: size / 32, lineCap: "round", lineJoin: "round" });
  brush.beginPath();
  for (const point of drawing) brush.lineTo(...points[point].map((value) => (value * size) / 100));
  brush.stroke();
}

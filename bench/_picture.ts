/** Draws the latest full result as an SVG: our figures beside the peers', for README.md, in light and dark. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { roundsOf } from "./_judge.ts";
import { figuresOf, type Result, readResult } from "./_result.ts";
import { digits, spread } from "./_statistics.ts";
import type { Figure } from "./_workload.ts";

const path = fileURLToPath(new URL("../docs/pictures/bench.svg", import.meta.url));

interface Panel {
  readonly workload: string;
  readonly title: string;
  readonly figure: string;
  readonly better: "less" | "more";
}

const panels: readonly Panel[] = [
  { workload: "order_to_kitchen", title: "order due → kitchen's socket, p50", figure: "push p50", better: "less" },
  { workload: "order_to_kitchen", title: "order due → kitchen's socket, p99", figure: "push p99", better: "less" },
  { workload: "capacity", title: "most orders a second", figure: "most orders", better: "more" },
  { workload: "cpu_per_order", title: "server's processor time of an order", figure: "Node CPU", better: "less" },
  { workload: "cpu_per_order", title: "database's processor time of an order", figure: "database CPU", better: "less" },
  { workload: "hot_shop", title: "orders a second into one shop", figure: "answers flooded", better: "more" },
];

/** As README names them. */
const titles: Readonly<Record<string, string>> = {
  bare: "bare node:http, one insert",
  bare_counter: "bare, counter row",
  express_socketio: "Express + Socket.IO",
  fastify_ws: "Fastify + ws, counter row",
  serverless_offline: "our functions in serverless-offline",
};

const width = 880;
const columns = 2;
const column = width / columns;
const left = 205;
const bar = { height: 16, pitch: 22, width: 135 };
const head = 34;

const style = `text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans SC", sans-serif; fill: #1f2328; }
.title { font-weight: 600; } .small { font-size: 11px; fill: #59636e; }
.bar { fill: #9aa4af; } .own { fill: #c2410c; } .range { stroke: #59636e; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; } .bar { fill: #565f6a; } .own { fill: #f97316; } .range { stroke: #9198a1; }
}`;

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function text(x: number, y: number, content: string, kind = "", anchor = "start"): string {
  return `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

interface Row {
  readonly contender: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function rowsOf(figures: readonly Figure[], figure: string): Row[] {
  const own = figures.filter((one) => one.figure === figure);
  const name = own[0]?.case ?? "";
  const contenders = [...new Set(own.filter((one) => one.case === name).map((one) => one.contender))];
  return contenders.flatMap((contender) => {
    const values = spread([...roundsOf(own, contender, name, figure).values()]);
    return values === undefined ? [] : [{ contender, ...values }];
  });
}

function drawPanel({ title, figure, better }: Panel, figures: readonly Figure[], x: number, y: number): string[] {
  const rows = rowsOf(figures, figure);
  const { unit = "", case: name = "" } = figures.find((one) => one.figure === figure) ?? {};
  const most = Math.max(...rows.map(({ max }) => max));
  const scale = (value: number) => Math.max(1, (value / most) * bar.width);
  const lines = rows.flatMap(({ contender, median, min, max }, at) => {
    const top = y + head + at * bar.pitch;
    const middle = top + bar.height / 2;
    const from = x + left;
    const isOwn = contender === "orderbell";
    return [
      text(from - 8, middle + 4, titles[contender] ?? contender, isOwn ? "title" : "", "end"),
      `<rect x="${from}" y="${top}" width="${scale(median).toFixed(1)}" height="${bar.height}" rx="2" class="${isOwn ? "own" : "bar"}"/>`,
      `<line x1="${(from + scale(min)).toFixed(1)}" y1="${middle}" x2="${(from + scale(max)).toFixed(1)}" y2="${middle}" class="range"/>`,
      text(
        from + scale(max) + 6,
        middle + 4,
        `${digits(median)}${unit === "/s" ? "" : ` ${unit}`}`,
        isOwn ? "title" : "",
      ),
    ];
  });
  return [text(x + 8, y + 14, title, "title"), text(x + 8, y + 28, `${name}; ${better} is better`, "small"), ...lines];
}

/** @throws TypeError when the result has none of its workloads */
export function picture(result: Result): string {
  const all = figuresOf(result);
  const drawn = panels
    .map((panel) => ({ panel, figures: all.filter(({ workload }) => workload === panel.workload) }))
    .filter(({ panel, figures }) => figures.some(({ figure }) => figure === panel.figure));
  if (drawn.length === 0) throw new TypeError("the result has no workload that the picture shows");
  const parts: string[] = [];
  let y = 8;
  for (let at = 0; at < drawn.length; at += columns) {
    const pair = drawn.slice(at, at + columns);
    for (const [nth, { panel, figures }] of pair.entries()) parts.push(...drawPanel(panel, figures, nth * column, y));
    y += head + Math.max(...pair.map(({ panel, figures }) => rowsOf(figures, panel.figure).length)) * bar.pitch + 18;
  }
  const { processor, cores, node, databases, at, commit } = result.machine;
  const postgres = databases.postgres?.version.split(" (")[0] ?? "";
  const durable = databases.postgres?.durable ? "durable" : "not durable";
  const foot = `${processor}, ${cores} cores for generator, server and database; Node ${node}; ${postgres}, ${durable}.`;
  const marks = `Bars: medians of paired rounds; lines: minimum to maximum. Measured ${at.slice(0, 10)} at ${commit}.`;
  const height = y + 32;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Benchmark: orderbell beside its peers">
<style>${style}</style>
${parts.join("\n")}
${text(8, y + 6, foot, "small")}
${text(8, y + 22, marks, "small")}
</svg>
`;
}

export function drawPicture(): void {
  const result = readResult();
  if (result === undefined) throw new TypeError("there is no result yet: npm run bench -- --full");
  mkdirSync(fileURLToPath(new URL("../docs/pictures/", import.meta.url)), { recursive: true });
  writeFileSync(path, picture(result));
  console.log("drew docs/pictures/bench.svg");
}

/** Example: one stroke: a figure is drawn without lifting the finger; works are documents that only their owner reads, on any phone. */
import { collections, files, type ListWatch, type Stored, upload } from "../../lib/orderbell";
import * as rules from "../../parts/figures";
import { client, fill, language, leave, onLeave } from "../../parts/page";
import { words } from "../../parts/stroke_words";

interface Work {
  figure: string;
  drawing: number[];
  at: Date;
  picture?: string;
}
interface Touches {
  readonly touches: readonly { readonly clientX: number; readonly clientY: number }[];
}
interface Tap {
  readonly currentTarget: { readonly dataset: Record<string, string> };
}

const works = () => collections<{ works: Work }>(client()).collection("works");
const figureOf = (id: string) => rules.figures.find((one) => one.id === id);

/** A line as a view that is turned around its beginning. */
function styleOf({ points }: rules.Figure, [from, to]: readonly [number, number]): string {
  const [[x1, y1], [x2, y2]] = [points[from] ?? [0, 0], points[to] ?? [0, 0]];
  const angle = Math.atan2(y2 - y1, x2 - x1);
  return `left: ${x1}%; top: ${y1}%; width: ${Math.hypot(x2 - x1, y2 - y1)}%; transform: rotate(${angle}rad)`;
}

let [figure, drawing, hinted, mine] = [rules.figures[0] as rules.Figure, [] as number[], false, [] as Stored<Work>[]];

Component({
  data: {
    t: words.zh,
    name: "",
    lines: [] as { style: string; kind: string }[],
    points: [] as { style: string; kind: string; letter: string }[],
    works: [] as { id: string; name: string; time: string; picture: string }[],
    notice: "",
  },
  methods: {
    onLoad() {
      const t = words[language()];
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t, notice: t.begin });
      [drawing, hinted] = [[], false];
      const watch: ListWatch<Stored<Work>> = works()
        .orderBy("at", "desc")
        .limit(100)
        .watch({
          onChange: (all) => {
            mine = [...all];
            this.draw();
          },
          onError: ({ code }) => this.say(fill(t.failed, { code })),
        });
      onLeave(this, () => watch.close());
      this.draw();
    },
    onUnload() {
      leave(this);
    },
    say(notice: string) {
      this.setData({ notice });
      this.draw();
    },
    draw() {
      const kindOf = (point: number) =>
        `${point === drawing[drawing.length - 1] ? "stroke-here" : ""} ${hinted && rules.oddPoints(figure).includes(point) ? "stroke-hinted" : ""}`;
      const line = (kind: string) => (ends: readonly [number, number]) => ({ style: styleOf(figure, ends), kind });
      this.setData({
        name: figure.names[language()],
        lines: [...figure.lines.map(line("")), ...rules.drawnLines(drawing).map(line("stroke-drawn"))],
        points: figure.points.map(([x, y], point) => ({
          style: `left: ${x}%; top: ${y}%`,
          kind: kindOf(point),
          letter: String.fromCharCode(65 + point),
        })),
        works: mine.map((work) => ({
          id: work._id,
          name: figureOf(work.figure)?.names[language()] ?? work.figure,
          time: work.at.toLocaleString(),
          picture: work.picture ?? "",
        })),
      });
    },
    go(point: number) {
      if (rules.isFinished(figure, drawing) || !rules.mayGo(figure, drawing, point)) return;
      drawing = [...drawing, point];
      const { t } = this.data;
      const left = figure.lines.length + 1 - drawing.length;
      if (left > 0) this.say(fill(rules.isStuck(figure, drawing) ? t.stuck : t.left, { left }));
      else void this.attempt(t.saved, () => works().add({ figure: figure.id, drawing, at: new Date() }));
    },
    async attempt(done: string, task: () => Promise<unknown>) {
      try {
        await task();
        this.say(done);
      } catch (error) {
        this.say(fill(this.data.t.failed, { code: String((error as { code?: string }).code) }));
      }
    },
    tapPoint({ currentTarget: { dataset } }: Tap) {
      this.go(Number(dataset.point));
    },
    /** The finger is over the board, somewhere. */
    move({ touches: [touch] }: Touches) {
      if (touch === undefined) return;
      this.createSelectorQuery()
        .select(".stroke-board")
        .boundingClientRect(({ left, top, width }) => {
          const at = (value: number) => (value / width) * 100;
          const point = rules.pointAt(figure, at(touch.clientX - left), at(touch.clientY - top));
          if (point !== undefined) this.go(point);
        })
        .exec();
    },
    undo() {
      drawing = drawing.slice(0, -1);
      this.say(fill(this.data.t.left, { left: figure.lines.length + 1 - Math.max(drawing.length, 1) }));
    },
    hint() {
      hinted = true;
      this.say(rules.oddPoints(figure).length === 0 ? this.data.t.anywhere : this.data.t.odd);
    },
    next() {
      const { figures } = rules;
      [figure, drawing, hinted] = [figures[(figures.indexOf(figure) + 1) % figures.length] as rules.Figure, [], false];
      this.say(this.data.t.begin);
    },
    share({ currentTarget: { dataset } }: Tap) {
      const work = mine.find(({ _id }) => _id === dataset.id);
      const of = figureOf(work?.figure ?? "");
      if (work === undefined || of === undefined) return;
      const canvas = wx.createOffscreenCanvas({ type: "2d", width: 600, height: 600 });
      rules.paint(canvas.getContext("2d"), 600, of, work.drawing);
      void this.attempt("", async () => {
        const path = await new Promise<string>((resolve, reject) =>
          wx.canvasToTempFilePath({ canvas, success: ({ tempFilePath }) => resolve(tempFilePath), fail: reject }),
        );
        const file = await upload(client(), path, { purpose: "picture", name: `${of.id}.png`, visibility: "unlisted" });
        await works()
          .doc(work._id)
          .update({ picture: file.path ?? "" });
      });
    },
    show({ currentTarget: { dataset } }: Tap) {
      wx.previewImage({ urls: [files(client()).addressOf({ id: "", path: dataset.path ?? null }) ?? ""] });
    },
    remove({ currentTarget: { dataset } }: Tap) {
      void this.attempt("", () => works().doc(String(dataset.id)).remove());
    },
  },
});

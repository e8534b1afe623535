/**
 * Example: one stroke. A figure is drawn without lifting the finger, each line once. Every finished work is a document of the collection
 * `works`, which only its owner reads: it is there again after the next sign-in, on any device. A picture of it is shared by a link.
 */
import { collections } from "../sdk/collections.js";
import { files, upload } from "../sdk/files.js";
import { at, client, make, showNetwork } from "../shared/client.js";
import { speak } from "../shared/i18n.js";
import { askPerson } from "../shared/person.js";
import * as rules from "../shared/stroke/figures.js";
import { words } from "../shared/stroke/words.js";

const works = collections(client).collection("works");
/** `drawing`: the points that the finger has passed. `notice`: a name in `words`, and its values. */
const { figures } = rules;
let [figure, drawing, hinted, notice, mine] = [figures[0], [], false, ["begin"], []];
let watching;

const t = speak(words, draw);
const drawNetwork = showNetwork(at("network"), () => t.language());
const figureOf = (id) => figures.find((one) => one.id === id);
const nameOf = ({ names }) => names[t.language()];

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const picture = (...parts) => svg("svg", { viewBox: "0 0 100 100" }, ...parts);

function linesOf({ points, lines }, passed) {
  const line = (kind) => (ends) => {
    const [[x1, y1], [x2, y2]] = ends.map((end) => points[end]);
    return svg("line", { x1, y1, x2, y2, class: kind });
  };
  return [...lines.map(line("line")), ...rules.drawnLines(passed).map(line("drawn"))];
}

/** A point can be touched, and chosen by keyboard and screen reader. */
function pointOf([cx, cy], point) {
  const [isHere, isHinted] = [point === drawing.at(-1), hinted && rules.oddPoints(figure).includes(point)];
  const kind = `point${isHere ? " here" : ""}${isHinted ? " hinted" : ""}`;
  const element = svg("circle", { cx, cy, r: 4, class: kind, tabindex: 0, role: "button" });
  element.ariaLabel = t(isHere ? "pointHere" : "point", { letter: String.fromCharCode(65 + point) });
  element.onkeydown = ({ key }) => {
    if (key !== "Enter") return;
    go(point);
    at("board").querySelectorAll(".point")[point].focus();
  };
  return element;
}

function draw() {
  at("board").classList.toggle("finished", rules.isFinished(figure, drawing));
  at("board").replaceChildren(picture(...linesOf(figure, drawing), ...figure.points.map(pointOf)));
  at("figure").replaceChildren(
    ...figures.map((one) => make("option", { value: one.id, selected: one === figure }, nameOf(one))),
  );
  at("state").textContent = t(...notice);
  at("undo").disabled = drawing.length === 0;
  at("works").replaceChildren(...mine.filter((work) => figureOf(work.figure)).map(card));
  drawNetwork();
  drawPerson();
}

function say(...what) {
  notice = what;
  draw();
}

function choose(one) {
  [figure, drawing, hinted] = [one, [], false];
  say("begin");
}

/** The finger passes a point. */
function go(point) {
  if (rules.isFinished(figure, drawing) || !rules.mayGo(figure, drawing, point)) return;
  drawing.push(point);
  if (rules.isFinished(figure, drawing)) void attempt("saved", save);
  else say(rules.isStuck(figure, drawing) ? "stuck" : "left", { left: figure.lines.length + 1 - drawing.length });
}

function touch(event) {
  if (event.buttons === 0) return;
  at("board").setPointerCapture(event.pointerId);
  const { left, top, width } = at("board").getBoundingClientRect();
  // A browser tells of all moves of a frame in one event: a quick finger passes several points in it.
  for (const { clientX, clientY } of [...(event.getCoalescedEvents?.() ?? []), event]) {
    const point = rules.pointAt(figure, ((clientX - left) / width) * 100, ((clientY - top) / width) * 100);
    if (point !== undefined) go(point);
  }
}

at("board").onpointerdown = at("board").onpointermove = touch;
at("figure").onchange = () => choose(figures[at("figure").selectedIndex]);
at("next").onclick = () => choose(figures[(figures.indexOf(figure) + 1) % figures.length]);
at("undo").onclick = () => {
  drawing.pop();
  say(drawing.length === 0 ? "begin" : "left", { left: figure.lines.length + 1 - drawing.length });
};
at("hint").onclick = () => {
  hinted = true;
  say(rules.oddPoints(figure).length === 0 ? "anywhere" : "odd");
};

async function attempt(done, work) {
  say("working");
  try {
    await work();
    say(done);
  } catch ({ code }) {
    say("failed", { code });
  }
}

/** It is sent again until it is answered, and is there once. */
const save = () => works.add({ figure: figure.id, drawing, at: new Date() });

/** Paints the work, and stores the picture for whoever has its link. */
async function share({ _id, figure: id, drawing: passed }) {
  const canvas = make("canvas", { width: 600, height: 600 });
  rules.paint(canvas.getContext("2d"), 600, figureOf(id), passed);
  const image = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const { path } = await upload(client, image, { purpose: "picture", name: `${id}.png`, visibility: "unlisted" });
  await works.doc(_id).update({ picture: path });
}

function card(work) {
  const one = figureOf(work.figure);
  const button = (name, work) => make("button", { type: "button", onclick: () => attempt(`${name}d`, work) }, t(name));
  const link =
    work.picture && make("a", { href: files(client).addressOf({ path: work.picture }), target: "_blank" }, t("link"));
  const row = [link || button("share", () => share(work)), button("remove", () => works.doc(work._id).remove())];
  const time = work.at.toLocaleString(t.language(), { dateStyle: "medium", timeStyle: "short" });
  return make(
    "li",
    { className: "card" },
    picture(...linesOf(one, work.drawing)),
    make("strong", {}, nameOf(one)),
    make("span", { className: "muted" }, time),
    make("span", { className: "row" }, ...row),
  );
}

/** One's own alone: nobody else can read them. Whoever signs in as another person sees another list. */
function watch() {
  const onChange = (all) => {
    mine = all;
    draw();
  };
  watching?.close();
  watching = works
    .orderBy("at", "desc")
    .limit(100)
    .watch({ onChange, onError: ({ code }) => say("failed", { code }) });
}
const drawPerson = askPerson(at("person"), client, () => t.language(), watch);
watch();

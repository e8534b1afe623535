/**
 * Example page: comments fly over a film, each at the second of the film at which it was written, and a new one over every open page at
 * once. They are documents of the collection `comments`; there is no function for them on the server.
 * In a project with the package: `from "orderbell-sdk/browser"` and `from "orderbell-sdk/collections"`.
 */
import { createClient } from "../../dist/sdk/browser.js";
import { collections } from "../../dist/sdk/collections.js";

const address = new URLSearchParams(location.search);
const film = address.get("film") ?? "sunrise";
const client = createClient({ url: address.get("api") ?? location.origin });
const comments = collections(client).collection("comments");

const at = (id) => document.getElementById(id);
const lanes = 6;
let flown = 0;
/** Comments that are flying now, by id: none flies twice at once. */
const flying = new Set();

/** Who wants no motion reads the list. A comment's text is untrusted input: it is shown as text, never as HTML. */
function fly({ _id, text }) {
  if (flying.has(_id) || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  flying.add(_id);
  const one = document.createElement("span");
  one.textContent = text;
  one.style.top = `${4 + (flown++ % lanes) * (90 / lanes)}%`;
  one.onanimationend = () => {
    flying.delete(_id);
    one.remove();
  };
  at("sky").append(one);
}

function item({ text, second }) {
  const one = document.createElement("li");
  one.textContent = `${second} s: ${text}`;
  return one;
}

// The newest two hundred: `_id` grows with time, and the largest come first.
let known = [];
comments
  .where({ film })
  .limit(200)
  .watch({
    onChange(all, { added, snapshot }) {
      // What was there before flies when the film comes to it.
      if (!snapshot) for (const comment of added) fly(comment);
      known = all;
      at("list").replaceChildren(...all.slice(0, 20).map(item));
    },
    onState(state) {
      at("state").textContent = state;
    },
    onError({ code, message }) {
      at("state").textContent = `${code}: ${message}`;
    },
  });

at("form").onsubmit = async (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text) return;
  at("text").value = "";
  try {
    // It is sent again until it is answered, and is there once.
    await comments.add({ film, text, second: Math.floor(at("film").currentTime) });
  } catch ({ code }) {
    at("text").value = text;
    at("state").textContent = code;
  }
};

let last = 0;
at("film").ontimeupdate = () => {
  const now = Math.floor(at("film").currentTime);
  if (now === last) return;
  last = now;
  for (const comment of known) if (comment.second === now) fly(comment);
};

/** The film: a file that the address names, or a sunrise that is drawn here. */
function show(video) {
  const file = address.get("video");
  if (file) {
    video.src = file;
    return;
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const paint = canvas.getContext("2d");
  setInterval(() => {
    const height = (performance.now() / 60_000) % 1;
    paint.fillStyle = `hsl(220 45% ${12 + 50 * height}%)`;
    paint.fillRect(0, 0, 640, 360);
    paint.fillStyle = "hsl(40 90% 60%)";
    paint.beginPath();
    paint.arc(320, 340 - 260 * height, 50, 0, 7);
    paint.fill();
  }, 50);
  video.srcObject = canvas.captureStream(20);
}
show(at("film"));

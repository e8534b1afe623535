/**
 * Example: video. The films of a shop are its public files; a film is played from its file, in which the browser seeks by ranges, or
 * where it has a set of HLS parts, in the quality that the network allows: by the browser itself, or by hls.js where it cannot.
 */
import { files } from "../sdk/files.js";
import { at, client, make } from "../shared/client.js";
import { speak } from "../shared/i18n.js";

const words = {
  zh: {
    title: "视频点播",
    back: "返回示例目录",
    way: "播放方式",
    whole: "原片",
    parts: "自适应",
    none: "这家店还没有影片。",
    failed: "没有成功：{code}",
    play: "播放 {name}",
    wrong: "这部影片放不出来：{code}",
  },
  en: {
    title: "Video",
    back: "Back to the examples",
    way: "Played",
    whole: "as one file",
    parts: "adaptive (HLS)",
    none: "This shop has no films yet.",
    failed: "That did not work: {code}",
    play: "Play {name}",
    wrong: "This film cannot be played: {code}",
  },
};

let [films, film, notice] = [[], undefined, undefined];
let player;
const t = speak(words, draw);
const nameOf = ({ about, name }) => String(about?.title ?? name);
const timeOf = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

function say(...what) {
  notice = what;
  draw();
}

/** A file of the film's set, such as its poster; undefined where it has none. */
const memberOf = (one, what) => one.about?.[what] && files(client).addressOf(one, String(one.about[what]));

/** hls.js is half a megabyte: loaded by whoever needs it. */
async function playParts(video, address) {
  const { default: Hls } = await import("./hls.js");
  player = new Hls();
  player.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && say("wrong", { code: details }));
  player.loadSource(address);
  player.attachMedia(video);
}

async function show(one, inParts = Boolean(memberOf(one, "hls"))) {
  film = one;
  say();
  player?.destroy();
  player = undefined;
  const video = at("video");
  video.poster = memberOf(one, "poster") ?? "";
  // iPhones play HLS by themselves, and have no MediaSource that hls.js needs.
  if (!inParts) video.src = files(client).addressOf(one);
  else if (!("MediaSource" in window || "ManagedMediaSource" in window)) video.src = memberOf(one, "hls");
  else await playParts(video, memberOf(one, "hls"));
  at("way").replaceChildren(
    ...(memberOf(one, "hls") ? [new Option(t("parts"), "parts", inParts, inParts)] : []),
    new Option(t("whole"), "whole", !inParts, !inParts),
  );
  await video.play().catch(() => {});
}

function card(one) {
  const { title = "", ...about } = { title: nameOf(one), ...one.about };
  return make(
    "li",
    {},
    make(
      "button",
      {
        type: "button",
        onclick: () => show(one),
        ariaPressed: String(one === film),
        ariaLabel: t("play", { name: title }),
      },
      make("img", { src: memberOf(one, "poster") ?? "", alt: "", loading: "lazy" }),
      // Its owner's words, in whichever language.
      make("strong", { lang: "" }, title),
      make("span", { className: "muted" }, about.seconds ? timeOf(about.seconds) : ""),
    ),
  );
}

function draw() {
  at("state").textContent = notice?.[0] ? t(...notice) : "";
  at("screen").hidden = film === undefined;
  at("name").textContent = film === undefined ? "" : nameOf(film);
  at("films").replaceChildren(...films.map(card));
}

at("way").onchange = () => show(film, at("way").value === "parts");
at("video").onerror = () => film && !player && say("wrong", { code: at("video").error?.code });

try {
  const shop = new URLSearchParams(location.search).get("shop") ?? (await client.shops())[0]?.id;
  // What a shop shows in public needs no session.
  ({ files: films } = await files(client).list({ purpose: "film", shop }));
  say(...(films.length === 0 ? ["none"] : []));
} catch ({ code }) {
  say("failed", { code });
}

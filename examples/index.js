/** The index of the examples: a card for each, by the name of its folder. */
import { at, make } from "./shared/client.js";
import { speak } from "./shared/i18n.js";

const demos = ["chat", "rps", "stroke", "session", "files", "video", "danmaku", "page"];

const words = {
  zh: {
    title: "综合示例",
    about: "每个示例不到 200 行，只用 orderbell-sdk。打开两个窗口就能和自己玩。",
    chat: ["聊", "三木聊天室", "说句话，看谁在，断网也不丢"],
    rps: ["拳", "剪刀石头布", "和陌生人三局两胜，服务器当裁判"],
    stroke: ["画", "一笔到底", "一笔画完，作品换部手机还在"],
    session: ["钥", "会话", "从登录码到会话，再到数据库里的那一行"],
    files: ["传", "上传下载", "进度、取消、断网后续传"],
    video: ["映", "视频点播", "影片列表，拖到哪里播到哪里"],
    danmaku: ["弹", "弹幕", "影片上飞过的评论，没有一行后端代码"],
    page: ["单", "点单", "菜单、下单、看着订单变化"],
  },
  en: {
    title: "Examples",
    about: "Each is less than 200 lines on orderbell-sdk alone. Open two windows to try one with yourself.",
    chat: ["聊", "Chat room", "Say something, see who is here, lose the network and nothing else"],
    rps: ["拳", "Rock, paper, scissors", "Best of three with a stranger; the server is the referee"],
    stroke: ["画", "One stroke", "Draw without lifting; your works follow you to another phone"],
    session: ["钥", "Session", "From a code to a session to its row in the database"],
    files: ["传", "Upload and download", "Progress, cancel, resume after a lost network"],
    video: ["映", "Video", "A list of films, played from wherever you like"],
    danmaku: ["弹", "Danmaku", "Comments that fly over a film, without a line of back end"],
    page: ["单", "Order", "A menu, an order, and its state as it changes"],
  },
};
const t = speak(words, () => at("demos").replaceChildren(...demos.map(card)));

function card(name) {
  const [mark, title, about] = words[t.language()][name];
  const link = make(
    "a",
    { className: "card", href: `${name}/${location.search}` },
    make("span", { className: "mark", ariaHidden: "true", lang: "zh-CN" }, mark),
    make("strong", {}, title),
    make("span", { className: "muted" }, about),
  );
  return make("li", {}, link);
}

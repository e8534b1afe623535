/** The index: a card for each example, by the name of its page. */
import { chooseLanguage, language } from "../../parts/page";

/** Page → mark, title, what it shows. */
const words = {
  zh: {
    title: "综合示例",
    about: "每个示例不到 200 行，只用 orderbell-sdk。",
    other: "English",
    cards: {
      chat: ["聊", "三木聊天室", "说句话，看谁在，断网也不丢"],
      rps: ["拳", "剪刀石头布", "和陌生人三局两胜，服务器当裁判"],
      stroke: ["画", "一笔到底", "一笔画完，作品换部手机还在"],
      session: ["钥", "会话", "从登录码到会话，再到数据库里的那一行"],
      files: ["传", "上传下载", "进度、取消、断网后续传"],
      video: ["映", "视频点播", "影片列表，拖到哪里播到哪里"],
    },
  },
  en: {
    title: "Examples",
    about: "Each is less than 200 lines on orderbell-sdk alone.",
    other: "中文",
    cards: {
      chat: ["聊", "Chat room", "Say something, see who is here, lose the network and nothing else"],
      rps: ["拳", "Rock, paper, scissors", "Best of three with a stranger; the server is the referee"],
      stroke: ["画", "One stroke", "Draw without lifting; your works follow you to another phone"],
      session: ["钥", "Session", "From a code to a session to its row in the database"],
      files: ["传", "Upload and download", "Progress, cancel, resume after a lost network"],
      video: ["映", "Video", "A list of films, played from wherever you like"],
    },
  },
};

const pages: (keyof typeof words.zh.cards)[] = ["chat", "rps", "stroke", "session", "files", "video"];

Component({
  data: { about: "", other: "", cards: [] as { page: string; mark: string; title: string; about: string }[] },
  methods: {
    onShow() {
      const { title, about, other, cards } = words[language()];
      wx.setNavigationBarTitle({ title });
      const card = (page: (typeof pages)[number]) => {
        const [mark = "", title = "", about = ""] = cards[page];
        return { page, mark, title, about };
      };
      this.setData({ about, other, cards: pages.map(card) });
    },
    open(tap: { currentTarget: { dataset: Record<string, string> } }) {
      const { page } = tap.currentTarget.dataset;
      wx.navigateTo({ url: `/pages/${page}/${page}` });
    },
    speak() {
      chooseLanguage(language() === "zh" ? "en" : "zh");
      this.onShow();
    },
  },
});

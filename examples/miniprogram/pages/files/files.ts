/** Example: upload and download: files from a chat, with progress, cancelled, repeated over a lost network; private, or shared by a link. */
import { downloadFile, type FileView, files, upload, type Work } from "../../lib/orderbell";
import { client, fill, language } from "../../parts/page";

const words = {
  zh: {
    title: "上传下载",
    choose: "选择聊天里的文件",
    unlisted: "有链接的人都能下载",
    mine: "我的文件",
    sending: "正在上传 {percent}%",
    waiting: "网络断开了，{percent}%，恢复后自动继续",
    cancelled: "已取消",
    failed: "没有成功：{code}",
    cancel: "取消",
    retry: "再试一次",
    download: "打开",
    link: "复制链接",
    remove: "删除",
    removed: "已删除：{name}",
  },
  en: {
    title: "Upload and download",
    choose: "Choose a file of a chat",
    unlisted: "Whoever has the link may download it",
    mine: "My files",
    sending: "Uploading, {percent} %",
    waiting: "No network, {percent} %: it goes on by itself",
    cancelled: "Cancelled",
    failed: "That did not work: {code}",
    cancel: "Cancel",
    retry: "Try again",
    download: "Open",
    link: "Copy link",
    remove: "Remove",
    removed: "Removed: {name}",
  },
};

interface Tap {
  readonly currentTarget: { readonly dataset: Record<string, string> };
}

/** The upload that is under way, or was cancelled or refused; one at a time. */
interface Sending {
  readonly name: string;
  readonly path: string;
  readonly percent: number;
  readonly text: string;
  readonly over: boolean;
}

const codeOf = (error: unknown) => String((error as { code?: string }).code);
const sizeOf = (bytes: number) =>
  bytes < 1e6 ? `${Math.max(bytes / 1e3, 0.1).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
const shown = (file: FileView) => ({ ...file, size: sizeOf(file.bytes) });

/** A phone's files of a chat. */
const chosen = () =>
  new Promise<{ name: string; path: string } | undefined>((resolve) =>
    wx.chooseMessageFile({
      count: 1,
      success: ({ tempFiles: [file] }) => resolve(file),
      fail: () => resolve(undefined),
    }),
  );

let work: Work<FileView> | undefined;

Component({
  data: {
    t: words.zh,
    list: [] as ReturnType<typeof shown>[],
    sending: null as Sending | null,
    unlisted: false,
    notice: "",
  },
  methods: {
    onLoad() {
      const t = words[language()];
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t });
      void this.show();
    },
    async attempt(task: () => Promise<unknown>) {
      try {
        this.setData({ notice: "" });
        await task();
      } catch (error) {
        this.setData({ notice: fill(this.data.t.failed, { code: codeOf(error) }) });
      }
    },
    show() {
      return this.attempt(async () => {
        const page = await files(client()).list({ purpose: "file" });
        this.setData({ list: page.files.map(shown) });
      });
    },
    turn() {
      this.setData({ unlisted: !this.data.unlisted });
    },
    async choose() {
      const file = await chosen();
      if (file !== undefined) await this.send(file.name, file.path);
    },
    async send(name: string, path: string) {
      const { t, unlisted } = this.data;
      let percent = 0;
      const draw = (text: string, over = false) =>
        this.setData({ sending: { name, path, percent, text: fill(text, { percent }), over } });
      draw(t.sending);
      work = upload(client(), path, {
        purpose: "file",
        name,
        visibility: unlisted ? "unlisted" : "private",
        onProgress: (sent, total) => {
          percent = Math.floor((sent / total) * 100);
          draw(t.sending);
        },
        onRetry: () => draw(t.waiting),
      });
      try {
        await work;
        this.setData({ sending: null });
        await this.show();
      } catch (error) {
        const code = codeOf(error);
        draw(code === "CANCELLED" ? t.cancelled : fill(t.failed, { code }), true);
      }
    },
    cancel() {
      work?.cancel();
    },
    async retry() {
      const { sending } = this.data;
      if (sending !== null) await this.send(sending.name, sending.path);
    },
    open({ currentTarget: { dataset } }: Tap) {
      return this.attempt(async () => {
        const filePath = await downloadFile(client(), String(dataset.id));
        wx.openDocument({ filePath, showMenu: true });
      });
    },
    copy({ currentTarget: { dataset } }: Tap) {
      wx.setClipboardData({
        data: files(client()).addressOf({ id: String(dataset.id), path: dataset.path ?? null }) ?? "",
      });
    },
    remove({ currentTarget: { dataset } }: Tap) {
      return this.attempt(async () => {
        await files(client()).remove(String(dataset.id));
        await this.show();
        this.setData({ notice: fill(this.data.t.removed, { name: String(dataset.name) }) });
      });
    },
  },
});

/** Example: video: the films of a shop, which are its public files, played from their file or as HLS, which phones play by themselves. */
import { type FileView, files } from "../../lib/orderbell";
import { client, fill, language } from "../../parts/page";

const words = {
  zh: {
    title: "视频点播",
    none: "这家店还没有影片。",
    failed: "没有成功：{code}",
    whole: "原片",
    parts: "自适应（HLS）",
  },
  en: {
    title: "Video",
    none: "This shop has no films yet.",
    failed: "That did not work: {code}",
    whole: "As one file",
    parts: "Adaptive (HLS)",
  },
};

interface Film {
  readonly id: string;
  readonly title: string;
  readonly length: string;
  readonly poster: string;
  readonly whole: string;
  /** Empty where the film has no set of HLS parts. */
  readonly parts: string;
}

function filmOf(file: FileView): Film {
  const { title = file.name, seconds, poster, hls } = file.about ?? {};
  const member = (name: unknown) => (name === undefined ? "" : (files(client()).addressOf(file, String(name)) ?? ""));
  const length = Number(seconds ?? 0);
  return {
    id: file.id,
    title: String(title),
    length: `${Math.floor(length / 60)}:${String(Math.round(length % 60)).padStart(2, "0")}`,
    poster: member(poster),
    whole: files(client()).addressOf(file) ?? "",
    parts: member(hls),
  };
}

Component({
  data: { t: words.zh, films: [] as Film[], film: null as Film | null, source: "", notice: "" },
  methods: {
    onLoad({ shop }: { shop?: string }) {
      const t = words[language()];
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t });
      void this.list(shop);
    },
    async list(shop?: string) {
      try {
        const of = shop ?? (await client().shops())[0]?.id ?? "";
        const page = await files(client()).list({ purpose: "film", shop: of });
        this.setData({ films: page.files.map(filmOf), notice: page.files.length === 0 ? this.data.t.none : "" });
      } catch (error) {
        this.setData({ notice: fill(this.data.t.failed, { code: String((error as { code?: string }).code) }) });
      }
    },
    play(tap: { currentTarget: { dataset: Record<string, string> } }) {
      const film = this.data.films.find(({ id }) => id === tap.currentTarget.dataset.id);
      if (film !== undefined) this.setData({ film, source: film.whole });
    },
    choose(tap: { currentTarget: { dataset: Record<string, string> } }) {
      const { film } = this.data;
      if (film !== null) this.setData({ source: tap.currentTarget.dataset.way === "parts" ? film.parts : film.whole });
    },
    failed(event: { detail: { errMsg?: string } }) {
      this.setData({ notice: fill(this.data.t.failed, { code: event.detail.errMsg ?? "" }) });
    },
  },
});

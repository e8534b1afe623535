/**
 * Example: upload and download. Files go to the place that the server signs for them, in parts when they are large; a lost network is
 * waited for, and an upload that a reload has interrupted goes on when the same file is chosen again. Without a link a file is its owner's.
 */
import { files, upload } from "../sdk/files.js";
import { at, client, make, showNetwork } from "../shared/client.js";
import { speak } from "../shared/i18n.js";
import { askPerson } from "../shared/person.js";

const words = {
  zh: {
    title: "上传下载",
    back: "返回示例目录",
    choose: "选择文件，或拖到这里",
    unlisted: "有链接的人都能下载",
    mine: "我的文件",
    more: "更早的文件",
    sending: "正在上传 {percent}%",
    waiting: "网络断开了，{percent}%，恢复后自动继续",
    cancelled: "已取消。再选同一个文件会接着传。",
    failed: "没有成功：{code}",
    cancel: "取消",
    retry: "再试一次",
    download: "下载",
    link: "复制链接",
    remove: "删除",
    copied: "链接已复制：{link}",
    removed: "已删除：{name}",
  },
  en: {
    title: "Upload and download",
    back: "Back to the examples",
    choose: "Choose files, or drop them here",
    unlisted: "Whoever has the link may download it",
    mine: "My files",
    more: "Older files",
    sending: "Uploading, {percent} %",
    waiting: "No network, {percent} %: it goes on by itself",
    cancelled: "Cancelled. Choose the same file again to go on.",
    failed: "That did not work: {code}",
    cancel: "Cancel",
    retry: "Try again",
    download: "Download",
    link: "Copy link",
    remove: "Remove",
    copied: "The link is copied: {link}",
    removed: "Removed: {name}",
  },
};

/** Uploads that are under way or have failed, and files that are stored. */
let [uploads, stored, hasMore, notice] = [[], [], false, undefined];
const t = speak(words, draw);
const drawNetwork = showNetwork(at("network"), () => t.language());
const drawPerson = askPerson(
  at("person"),
  client,
  () => t.language(),
  () => list(),
);
const button = (name, work) => make("button", { type: "button", onclick: () => attempt(work) }, t(name));

const sizeOf = (bytes) =>
  bytes < 1e6 ? `${Math.max(bytes / 1e3, 0.1).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

function say(...what) {
  notice = what;
  draw();
}

async function start(file, visibility, before) {
  const one = { name: file.name, sent: 0, state: "sending", again: () => start(file, visibility, one) };
  const show = (change) => {
    Object.assign(one, change);
    drawUploads();
  };
  one.work = upload(client, file, {
    purpose: "file",
    visibility,
    onProgress: (sent, total) => show({ sent: sent / total, state: "sending" }),
    onRetry: () => show({ state: "waiting" }),
  });
  uploads = [one, ...uploads.filter((other) => other !== before)];
  try {
    await one.work;
    uploads = uploads.filter((other) => other !== one);
    await list();
  } catch ({ code }) {
    show({ state: code === "CANCELLED" ? "cancelled" : "failed", code });
  }
}

async function attempt(work) {
  try {
    await work();
  } catch ({ code }) {
    say("failed", { code });
  }
}

function list(before) {
  return attempt(async () => {
    const page = await files(client).list({ purpose: "file", before });
    stored = before === undefined ? page.files : [...stored, ...page.files];
    hasMore = page.more;
    draw();
  });
}

/** Its address is valid for a quarter of an hour; the server says by which name it is saved. */
async function download({ id, name }) {
  const { address } = await files(client).get(id);
  make("a", { href: address.url, download: name }).click();
}

async function copy(file) {
  const link = files(client).addressOf(file);
  // Without HTTPS there is no clipboard: the link is shown.
  await navigator.clipboard?.writeText(link).catch(() => {});
  say("copied", { link });
}

async function remove({ id, name }) {
  await files(client).remove(id);
  stored = stored.filter((other) => other.id !== id);
  say("removed", { name });
}

function drawUploads() {
  at("uploads").replaceChildren(
    ...uploads.map((one) => {
      const { name, sent, state, code } = one;
      const over = state === "failed" || state === "cancelled";
      const bar = make("progress", { max: 1, value: sent, ariaLabel: name });
      const text = make("span", { className: "muted" }, t(state, { percent: Math.floor(sent * 100), code }));
      const press = over ? button("retry", one.again) : button("cancel", () => one.work.cancel());
      return make("li", { className: "card" }, make("strong", {}, name), bar, text, make("span", {}, press));
    }),
  );
}

function card(file) {
  const { name, type, bytes, path } = file;
  const about = [sizeOf(bytes), type, ...(path ? [t("unlisted")] : [])].join(" · ");
  const link = path ? [button("link", () => copy(file))] : [];
  const row = [button("download", () => download(file)), ...link, button("remove", () => remove(file))];
  const [title, muted] = [make("strong", {}, name), make("span", { className: "muted" }, about)];
  return make("li", { className: "card" }, title, muted, make("span", { className: "row" }, ...row));
}

function draw() {
  at("state").textContent = notice === undefined ? "" : t(...notice);
  at("more").hidden = !hasMore;
  at("list").replaceChildren(...stored.map(card));
  drawUploads();
  drawNetwork();
  drawPerson();
}

at("input").onchange = ({ target }) => {
  for (const file of target.files) void start(file, at("unlisted").checked ? "unlisted" : "private");
  target.value = "";
};
at("more").onclick = () => list(stored.at(-1).id);
list();

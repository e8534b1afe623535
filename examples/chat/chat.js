/** Chat room: who is here, what was said, who is typing. A room of orderbell; the server has no function for chats. */
import { collections } from "../sdk/collections.js";
import { createRoom, room } from "../sdk/rooms.js";
import { asAnother, at, client, make, showNetwork } from "../shared/client.js";
import { speak } from "../shared/i18n.js";
import { words } from "./words.js";

/** Everybody who opens the page with this name is in one room. Rooms end some time; a name gets another one every twenty days. */
const address = new URLSearchParams(location.search);
const _id = `${encodeURIComponent(address.get("room") ?? "sanmu").slice(0, 60)}.${Math.floor(Date.now() / (20 * 86_400_000))}`;
const me = { name: localStorage.getItem("examples.name") ?? "", typing: false };
at("name").value = me.name;
at("another").href = asAnother();
at("messages").tabIndex = 0;
// A film of /files, or a sky.
at("film").src = address.get("video") ?? "";
let [chat, oldest, quiet] = [];
const clock = new Intl.DateTimeFormat("zh", { timeStyle: "short" });

const t = speak(words, () => {
  showState();
  if (chat) drawMembers(chat.members());
});
const showState = showNetwork(at("network"), t.language);

/** The room under this name: its id and grant are a document, which everybody reads and the first who came has made. */
async function find() {
  const lobby = collections(client).collection("lobby");
  const known = await lobby.doc(_id).get();
  if (known) return known;
  const made = await createRoom(client, 30 * 86_400);
  // Two may come first at once: one document is there, and both read it.
  await lobby.add({ _id, room: made.id, grant: made.grant }).catch(({ code }) => code);
  return lobby.doc(_id).get();
}

const { room: id, grant } = await find();
chat = room(client, id, {
  grant,
  history: 30,
  me,
  onMembers: drawMembers,
  onMessage(message, isNew) {
    oldest ??= message.seq;
    show(message);
    at("older").hidden = oldest === 1;
    if (isNew && at("screen").open) fly(message.data.text);
  },
  // Messages are missing: the last ones come again. What is on its way stays.
  onReset() {
    oldest = undefined;
    for (const one of document.querySelectorAll("#messages li:not(.sending)")) one.remove();
  },
  onError: ({ code }) => Object.assign(at("network"), { textContent: t("over", { code }), hidden: false }),
});

/** A message where it belongs: behind those that the server has, before those on their way. Its own is confirmed by coming back. */
function show({ id, sender, mine, at: time, data }, before) {
  const key = `${mine ? "" : sender} ${id}`;
  const list = at("messages");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const text = make("p", {}, String(data?.text ?? ""));
  const who = make(
    "span",
    { className: "muted" },
    `${data?.name || t("nobody")} ${time ? clock.format(new Date(time)) : ""}`,
  );
  const one = make("li", { className: mine ? "mine" : "" }, who, make("br"), text);
  one.dataset.key = key;
  for (const old of list.children) if (old.dataset.key === key) old.remove();
  one.classList.toggle("sending", time === undefined);
  list.insertBefore(one, before ?? (time === undefined ? null : list.querySelector(".sending")));
  if (isAtEnd || mine) list.scrollTop = list.scrollHeight;
  return one;
}

/** Shown at once, and sent until the server has it, over however many lost sockets. */
async function say(data, id = `${Date.now()}-${Math.random().toString(36).slice(2)}`) {
  const one = show({ id, mine: true, data });
  try {
    await chat.publish(data, id);
  } catch ({ code }) {
    const again = make("button", { textContent: t("again", { code }), onclick: () => say(data, id) });
    if (one.isConnected) one.append(again);
  }
}

at("form").onsubmit = (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text) say({ name: me.name, text });
  at("text").value = "";
  type(false);
};

/** What a member says of itself goes with its presence: it fills no history, and ends when the member leaves. */
function type(typing) {
  clearTimeout(quiet);
  if (typing) quiet = setTimeout(type, 4_000, false);
  if (typing === me.typing) return;
  me.typing = typing;
  chat.update({ typing });
}
at("text").oninput = () => type(at("text").value !== "");
at("name").onchange = () => {
  me.name = at("name").value.trim();
  localStorage.setItem("examples.name", me.name);
  chat.update({ name: me.name });
};

function drawMembers(all) {
  const nameOf = ({ data, me }) => `${data.name || t("nobody")}${me ? t("me") : ""}`;
  at("members").replaceChildren(...all.map((one) => make("li", {}, nameOf(one))));
  const typing = all.filter(({ data, me }) => data.typing && !me).map(nameOf);
  at("typing").textContent = typing.length ? t("typing", { names: typing.join(" · ") }) : "";
}

at("older").onclick = async () => {
  const { messages, more } = await chat.history(oldest, 30);
  const first = at("messages").firstChild;
  for (const one of messages) show(one, first);
  oldest = messages[0]?.seq ?? oldest;
  at("older").hidden = !more;
};

/** The room's messages over a film; who wants no motion reads the list. */
function fly(text) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const one = make("span", { textContent: text, onanimationend: () => one.remove() });
  one.style.top = `${4 + Math.random() * 75}%`;
  at("sky").append(one);
}

/** Chat room: who is here, what was said, who is typing. A room of orderbell; the server has no function for chats. */
import {
  type ApiError,
  collections,
  createRoom,
  type Member,
  type Message,
  type Room,
  room,
} from "../../lib/orderbell";
import { client, fill, leave, networkText, onLeave, texts } from "../../parts/page";

interface Said {
  name: string;
  text: string;
}
interface Me {
  name: string;
  typing: boolean;
}
/** A message on the screen; one without a time is on its way. */
interface Line extends Said {
  key: string;
  id: string;
  mine: boolean;
  at: string;
  seq: number;
  failed: boolean;
}

const words = {
  title: ["三木聊天室", "Chat room"],
  name: ["昵称（可不填）", "Nickname, if you like"],
  nobody: ["无名氏", "Somebody"],
  me: ["（我）", " (me)"],
  say: ["说点什么", "Say something"],
  send: ["发送", "Send"],
  older: ["更早的消息", "Older messages"],
  typing: ["{names} 正在输入…", "{names} is typing …"],
  again: ["没有发出，重发", "Not sent, send again"],
  over: ["聊天室进不去了（{code}）", "The room has ended for you ({code})"],
} as const;

/** The page's room, which `data` cannot hold. */
let chat: Room<Said, Me> | undefined;
let quiet = 0;

/** The same lobby as that of the page in a browser: examples/chat/chat.js. */
async function find(name: string): Promise<{ room: string; grant: string }> {
  const lobby = collections<{ lobby: { room: string; grant: string } }>(client()).collection("lobby");
  const _id = `${encodeURIComponent(name).slice(0, 60)}.${Math.floor(Date.now() / (20 * 86_400_000))}`;
  const known = await lobby.doc(_id).get();
  if (known) return known;
  const made = await createRoom(client(), 30 * 86_400);
  // Two may come first at once: one document is there, and both read it.
  await lobby.add({ _id, room: made.id, grant: made.grant }).catch(() => undefined);
  return (await lobby.doc(_id).get()) ?? { room: made.id, grant: made.grant };
}

const clock = (at: string) => new Date(at).toTimeString().slice(0, 5);

Component({
  data: {
    t: {} as Record<keyof typeof words, string>,
    network: "",
    name: "",
    text: "",
    members: [] as string[],
    typing: "",
    lines: [] as Line[],
    last: "",
    older: false,
  },
  methods: {
    onLoad({ room: name = "sanmu" }: { room?: string }) {
      const t = texts(words);
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t, name: wx.getStorageSync("examples.name") || "" });
      onLeave(
        this,
        client().onState(() => this.setData({ network: networkText() })),
        () => chat?.leave(),
      );
      this.enter(name).catch((error: ApiError) => this.setData({ network: fill(t.over, { code: error.code }) }));
    },
    onUnload() {
      leave(this);
    },
    async enter(name: string) {
      const { room: id, grant } = await find(name);
      chat = room<Said, Me>(client(), id, {
        grant,
        history: 30,
        me: { name: this.data.name, typing: false },
        onMembers: (all) => this.draw(all),
        onMessage: (message) => this.show([message]),
        // Messages are missing: the last ones come again. What is on its way stays.
        onReset: () => this.setData({ lines: this.data.lines.filter(({ at }) => at === "") }),
        onError: ({ code }) => this.setData({ network: fill(this.data.t.over, { code }) }),
      });
    },
    draw(all: Member<Me>[]) {
      const { t } = this.data;
      const nameOf = ({ data, me }: Member<Me>) => `${data.name || t.nobody}${me ? t.me : ""}`;
      const names = all.filter(({ data, me }) => data.typing && !me).map(nameOf);
      this.setData({
        members: all.map(nameOf),
        typing: names.length ? fill(t.typing, { names: names.join(" · ") }) : "",
      });
    },
    /** Messages that the server has, by their numbers; behind them those on their way, of which these are some that came back. */
    show(messages: Message<Said>[]) {
      const { lines, t } = this.data;
      const came = messages.map(({ id, sender, mine, seq, at, data }) => ({
        ...{ id, mine, seq, key: `${sender} ${id}`, at: clock(at), failed: false },
        ...{ name: String(data?.name || t.nobody), text: String(data?.text ?? "") },
      }));
      const isNew = (line: Line) => !came.some(({ id, mine }) => mine === line.mine && id === line.id);
      const all = [...lines.filter(isNew), ...came].sort((a, b) => a.seq - b.seq);
      this.setData({ lines: all, last: `line-${all.length - 1}`, older: (all[0]?.seq ?? 1) > 1 });
    },
    async more() {
      const [first] = this.data.lines;
      if (chat && first) this.show((await chat.history(first.seq, 30)).messages);
    },
    write({ detail }: { detail: { value: string } }) {
      this.setData({ text: detail.value });
      this.type(detail.value !== "");
    },
    /** What a member says of itself goes with its presence: it fills no history. */
    type(typing: boolean) {
      clearTimeout(quiet);
      if (typing) quiet = setTimeout(() => this.type(false), 4_000);
      chat?.update({ typing });
    },
    rename({ detail }: { detail: { value: string } }) {
      this.setData({ name: detail.value.trim() });
      wx.setStorageSync("examples.name", this.data.name);
      chat?.update({ name: this.data.name });
    },
    send() {
      const text = this.data.text.trim();
      if (text) this.say(`${Date.now()}-${Math.random().toString(36).slice(2)}`, { name: this.data.name, text });
      this.setData({ text: "" });
      this.type(false);
    },
    again({ currentTarget }: { currentTarget: { dataset: Record<string, string> } }) {
      const line = this.data.lines.find(({ id, mine }) => mine && id === currentTarget.dataset.id);
      if (line) this.say(line.id, { name: line.name, text: line.text });
    },
    /** Shown at once, and sent until the server has it, over however many lost sockets. */
    async say(id: string, data: Said) {
      const line = { ...data, id, key: id, mine: true, at: "", seq: Number.MAX_SAFE_INTEGER, failed: false };
      const others = this.data.lines.filter((one) => one.key !== id);
      this.setData({ lines: [...others, line], last: `line-${others.length}` });
      await chat?.publish(data, id).catch(() => {
        this.setData({ lines: this.data.lines.map((one) => (one.key === id ? { ...one, failed: true } : one)) });
      });
    },
  },
});

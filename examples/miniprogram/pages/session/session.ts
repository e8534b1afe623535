/** Example: a session: what begins one, and the rows behind it, which the server shows to their owner alone and without their secrets. */
import { lastRequest } from "../../parts/begin";
import { client, fill, language } from "../../parts/page";

const words = {
  zh: {
    title: "会话",
    anew: "重新登录",
    again: "再问一次数据库",
    code: "登录码",
    codeText: "由 wx.login 给出，只能用一次；服务器拿它去问微信，openid 从不经过手机。",
    guestText: "没有用微信登录码：这是访客。",
    keptText: "会话还在，不用登录码。按“重新登录”看完整过程。",
    session: "会话",
    sessionText: "令牌只有这台手机知道，数据库里只有它的散列值。",
    rowsText: "只有您自己的行。散列和加密的值不读出来。",
    reuse: "连接复用",
    reuseText: "这个环境已回答 {requests} 次，一共用过 {connections} 个数据库连接，这次是第 {connection} 个。",
    hidden: "（隐藏）",
    failed: "没有成功：{code}",
  },
  en: {
    title: "Session",
    anew: "Sign in anew",
    again: "Ask the database again",
    code: "Code",
    codeText: "wx.login gives it, for one use. The server asks WeChat whose it is: no openid passes through the phone.",
    guestText: "Without a code of WeChat: this is a guest.",
    keptText: "The session is kept, and needs no code. “Sign in anew” shows the whole way.",
    session: "Session",
    sessionText: "This phone alone knows the token; the database has its hash.",
    rowsText: "Your own rows alone. What is hashed or sealed is not read.",
    reuse: "The connection is used again",
    reuseText:
      "Answers of this environment so far: {requests}. Connections to the database that it used for them: {connections}; this was number {connection}.",
    hidden: "(hidden)",
    failed: "That did not work: {code}",
  },
};

interface Step {
  readonly title: string;
  readonly text: string;
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

const fieldsOf = (row: object): Step["fields"] =>
  Object.entries(row).map(([name, value]) => ({
    name,
    value: value === "hidden" ? words[language()].hidden : String(value),
  }));

/** The request that began the session, whatever it was. */
function begun(): Step {
  const t = words[language()];
  const request = lastRequest();
  if (request === undefined) return { title: t.code, text: t.keptText, fields: [] };
  const { method, path, body } = request;
  const text = path === "/login" ? t.codeText : t.guestText;
  return { title: t.code, text, fields: fieldsOf({ request: `${method} ${path}`, ...(body as object) }) };
}

async function steps(): Promise<Step[]> {
  const t = words[language()];
  const { rows, environment } = await client().ask({ method: "GET", path: "/examples/session" });
  const session = await client().signIn();
  // A whole token on a screen could be copied by whoever looks over a shoulder.
  const shown = { token: `${session.token.slice(0, 8)}…`, kind: session.kind, expiresAt: session.expiresAt };
  return [
    begun(),
    { title: t.session, text: t.sessionText, fields: fieldsOf(shown) },
    ...rows.map(({ table, row }) => ({ title: table, text: t.rowsText, fields: fieldsOf(row) })),
    { title: t.reuse, text: fill(t.reuseText, environment), fields: [] },
  ];
}

Component({
  data: { t: words.zh, steps: [] as Step[], error: "" },
  methods: {
    onLoad() {
      const t = words[language()];
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t });
      void this.show();
    },
    async show() {
      try {
        this.setData({ steps: await steps(), error: "" });
      } catch (error) {
        this.setData({ error: fill(this.data.t.failed, { code: String((error as { code?: string }).code) }) });
      }
    },
    async anew() {
      await client().signOut();
      await client().signIn();
      await this.show();
    },
  },
});

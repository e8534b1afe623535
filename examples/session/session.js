/**
 * Example: a session. What is sent to begin one, what comes back, and the rows that are behind it in the database: the server's function
 * functions/examples_session.ts reads them for their owner alone, and does not read what is secret in them.
 */
import { at, client, make, showNetwork } from "../shared/client.js";
import { speak } from "../shared/i18n.js";
import { askPerson, lastRequest, personName, signInAs } from "../shared/person.js";

const words = {
  zh: {
    title: "会话",
    back: "返回示例目录",
    anew: "重新登录",
    again: "再问一次数据库",
    code: "登录码",
    codeText: "小程序里由 wx.login 给出，只能用一次；服务器拿它去问微信，openid 从不经过手机。",
    guestText: "网页没有微信登录码：不填名字时是访客。",
    keptText: "会话还在，不用登录码。按“重新登录”看完整过程。",
    session: "会话",
    sessionText: "令牌只有这台设备知道，数据库里只有它的散列值。",
    rows: "数据库里的行",
    rowsText: "只有您自己的。散列和加密的值不读出来。",
    reuse: "连接复用",
    reuseText: "这个环境已回答 {requests} 次，一共用过 {connections} 个数据库连接，这次是第 {connection} 个。",
    hidden: "（隐藏）",
    failed: "没有成功：{code}",
    working: "请稍候…",
  },
  en: {
    title: "Session",
    back: "Back to the examples",
    anew: "Sign in anew",
    again: "Ask the database again",
    code: "Code",
    codeText:
      "In a mini-program wx.login gives it, for one use. The server asks WeChat whose it is: no openid passes through the phone.",
    guestText: "A page has no code of WeChat: without a name this is a guest.",
    keptText: "The session is kept, and needs no code. “Sign in anew” shows the whole way.",
    session: "Session",
    sessionText: "This device alone knows the token; the database has its hash.",
    rows: "Rows in the database",
    rowsText: "Your own alone. What is hashed or sealed is not read.",
    reuse: "The connection is used again",
    reuseText:
      "Answers of this environment so far: {requests}. Connections to the database that it used for them: {connections}; this was number {connection}.",
    hidden: "(hidden)",
    failed: "That did not work: {code}",
    working: "One moment …",
  },
};

let shown;
let notice = ["working"];
const t = speak(words, draw);
const drawNetwork = showNetwork(at("network"), () => t.language());
const drawPerson = askPerson(at("person"), client, () => t.language(), show);

/** Names and values. Times of the database are milliseconds. */
function list(fields) {
  const timeOf = (name, value) => (/_at$/.test(name) && value ? new Date(value).toLocaleString(t.language()) : value);
  return make(
    "dl",
    {},
    ...Object.entries(fields).flatMap(([name, value]) => [
      make("dt", {}, name),
      value === "hidden"
        ? make("dd", { className: "hidden" }, t("hidden"))
        : make("dd", {}, String(timeOf(name, value) ?? "null")),
    ]),
  );
}

const step = (name, text, ...content) =>
  make("li", { className: "card" }, make("h2", {}, t(name)), make("p", { className: "muted" }, text), ...content);

function steps({ session, rows, environment }) {
  const request = lastRequest();
  const about = request === undefined ? "keptText" : personName() === "" ? "guestText" : "codeText";
  // A whole token on a screen could be copied by whoever looks over a shoulder.
  const token = `${session.token.slice(0, 8)}…`;
  const { kind, user, expiresAt } = session;
  return [
    step(
      "code",
      t(about),
      ...(request ? [list({ request: `${request.method} ${request.path}`, ...request.body })] : []),
    ),
    step("session", t("sessionText"), list({ token, kind, user: user.id, expiresAt })),
    step("rows", t("rowsText"), ...rows.flatMap(({ table, row }) => [make("h3", {}, table), list(row)])),
    step(
      "reuse",
      t("reuseText", environment),
      make("p", { className: "count", id: "requests" }, String(environment.requests)),
    ),
  ];
}

function draw() {
  at("state").textContent = notice === undefined ? "" : t(...notice);
  if (shown !== undefined) at("steps").replaceChildren(...steps(shown));
  drawNetwork();
  drawPerson();
}

async function attempt(work) {
  notice = ["working"];
  draw();
  try {
    await work();
    notice = undefined;
  } catch ({ code }) {
    notice = ["failed", { code }];
  }
  draw();
}

function show() {
  return attempt(async () => {
    // A session that has ended begins anew by itself.
    const answer = await client.ask({ method: "GET", path: "/examples/session" });
    shown = { session: client.session(), ...answer };
  });
}

at("again").onclick = show;
at("anew").onclick = () => attempt(() => signInAs(client, personName())).then(show);
show();

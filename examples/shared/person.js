/**
 * Whoever wants their works on another device too signs in by a name: `npm start` has a stand-in for WeChat, which gives a code for a
 * name as `wx.login` gives one on a phone. There is no password, since it is for trying things out. Elsewhere a page has guests only.
 */
const address = new URLSearchParams(location.search);
const key = `examples${address.get("as") ?? ""}.name`;

export const personName = () => localStorage.getItem(key) ?? "";

/** The code of a name. @throws Error where there is no stand-in */
export async function wechatCode(name) {
  const answer = await fetch(`/examples/wechat_code?name=${encodeURIComponent(name)}`);
  if (!answer.ok) throw Object.assign(new Error("there is no stand-in for WeChat"), { code: "NO_STAND_IN" });
  return (await answer.json()).code;
}

let begun;
/** The request that began this page's session; undefined where it was there before. */
export const lastRequest = () => begun;

/** The request that begins a session: a person's with a name, otherwise a guest's. */
export async function begin() {
  const name = personName();
  if (name === "") begun = { method: "POST", path: "/login/guest" };
  else begun = { method: "POST", path: "/login", body: { code: await wechatCode(name) } };
  return begun;
}

/** Ends the session, and begins the one of that name. */
export async function signInAs(client, name) {
  if (name !== "") await wechatCode(name);
  await client.signOut();
  localStorage.setItem(key, name);
  await client.signIn();
}

const words = {
  zh: {
    guest: "访客：只在这个浏览器里看得到。",
    name: "名字",
    in: "登录",
    out: "退出",
    is: "{name}，换部设备用同一个名字就能看到。",
    none: "这里没有微信替身，只能当访客。",
  },
  en: {
    guest: "A guest: seen in this browser alone.",
    name: "Name",
    in: "Sign in",
    out: "Sign out",
    is: "{name}: seen on any device under the same name.",
    none: "There is no stand-in for WeChat here: guests only.",
  },
};

/** Fills a form with who this is, and a field for a name. @returns to be called when the language changes */
export function askPerson(form, client, language, onChange) {
  const [text, field, button] = ["span", "input", "button"].map((tag) => document.createElement(tag));
  let failed = false;
  form.append(text, field, button);
  field.maxLength = 32;
  const draw = () => {
    const [t, name] = [words[language()], personName()];
    text.textContent = failed ? t.none : name === "" ? t.guest : t.is.replace("{name}", name);
    [field.placeholder, field.ariaLabel, field.hidden] = [t.name, t.name, name !== ""];
    [field.required, button.textContent] = [name === "", name === "" ? t.in : t.out];
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    const name = personName() === "" ? field.value.trim() : "";
    failed = await signInAs(client, name).then(
      () => false,
      () => true,
    );
    field.value = "";
    button.disabled = false;
    draw();
    if (!failed) onChange();
  };
  return draw;
}

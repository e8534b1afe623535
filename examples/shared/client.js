/** What every example begins with: a client, a bar that shows when the network is away, and short ways to the page's elements. */
import { createClient } from "../sdk/browser.js";
import { begin } from "./person.js";

const address = new URLSearchParams(location.search);
/** A guest, or who signed in by a name. The API of this page's own host, or that of `?api=`. `?as=2` is another person in the same browser. */
const person = address.get("as") ?? "";
export const client = createClient({ url: address.get("api") ?? location.origin, name: `examples${person}`, begin });

/** This page as another person: who tries an example alone opens it in a second tab. */
export function asAnother() {
  const there = new URL(location.href);
  there.searchParams.set("as", String(Number(person || 1) + 1));
  return there.href;
}

export const at = (id) => document.getElementById(id);

/** An element. Its text is set as text, never as HTML: what others write is untrusted input. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const words = {
  zh: {
    offline: "网络断开了，正在重连…",
    "catching up": "网络回来了，正在补上错过的…",
    polling: "网络不太好，消息会慢一些",
  },
  en: {
    offline: "No network, connecting again …",
    "catching up": "Back, catching up …",
    polling: "Weak network: news comes late",
  },
};

/** Shows in `bar` that the network was lost, and hides it when nothing is missing any more. @returns to be called when the language changes */
export function showNetwork(bar, language) {
  const show = () => {
    const text = words[language()][client.state()];
    bar.textContent = text ?? "";
    bar.hidden = text === undefined;
  };
  client.onState(show);
  return show;
}

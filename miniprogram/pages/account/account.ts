/** Who is signed in, until when, how well connected; the language; what this phone remembers. */
import type { ApiError, Session } from "../../lib/orderbell";
import { tellError } from "../../shop/ordering";
import { leave, nameTabs, ordering, say, until } from "../../shop/page";
import { clockTime, dayAndTime, fill } from "../../shop/show";
import type { Language, Words } from "../../shop/words";
import { dictionaries } from "../../shop/words";

/** A name where there is one, and the end of the id: what a shop's people can ask for. */
function userOf({ kind, user: { id, profile } }: Session, t: Words): string {
  const name = profile?.nickName ?? (kind === "wechat" ? t.wechatUser : t.guestUser);
  return `${name} ${id.slice(-6)}`;
}

Component({
  data: {
    t: dictionaries.zh,
    language: "zh" as Language,
    user: "",
    until: "",
    state: "",
    heard: "",
    failure: "",
    busy: false,
    remembered: false,
  },
  methods: {
    onLoad() {
      const { client } = ordering();
      until(
        this,
        client.onSession(() => this.draw()),
        client.onState(() => this.draw()),
      );
    },
    onShow() {
      nameTabs();
      wx.setNavigationBarTitle({ title: ordering().words().account });
      this.draw();
    },
    onUnload() {
      leave(this);
    },
    draw() {
      const { client, address } = ordering();
      const [t, language, session] = [ordering().words(), ordering().language(), client.session()];
      const heardAt = client.heardAt();
      this.setData({
        t,
        language,
        user: session === undefined ? "" : userOf(session, t),
        until: session === undefined ? "" : dayAndTime(session.expiresAt),
        state: t.state[client.state()],
        heard: heardAt > 0 ? fill(t.lastHeard, { time: clockTime(new Date(heardAt).toISOString()) }) : "",
        remembered: address() !== undefined,
      });
    },
    async signIn() {
      await this.work(() => ordering().signIn());
    },
    async signOut() {
      await this.work(() => ordering().signOut());
    },
    async work(work: () => Promise<void>) {
      if (this.data.busy) return;
      this.setData({ busy: true, failure: "" });
      try {
        await work();
      } catch (error) {
        this.setData({ failure: tellError(error as ApiError, ordering().words()) });
      } finally {
        this.setData({ busy: false });
        this.draw();
      }
    },
    speak(tap: { currentTarget: { dataset: Record<string, string> } }) {
      ordering().setLanguage(tap.currentTarget.dataset.language as Language);
      this.onShow();
    },
    /** As it stands in the console. */
    readGuideline() {
      const { t } = this.data;
      if (wx.openPrivacyContract === undefined) return say(t.privacyText);
      wx.openPrivacyContract({ fail: () => say(t.privacyText) });
    },
    forget() {
      ordering().setAddress(undefined);
      say(ordering().words().forgotten);
      this.draw();
    },
  },
});

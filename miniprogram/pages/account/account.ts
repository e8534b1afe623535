/** Account page: the user, the end of the session, the connection's state, the language, the data stored on this phone. */
import type { ApiError, Session } from "../../lib/orderbell";
import { clockTime, dayAndTime, fill } from "../../shop/format";
import { errorTextOf } from "../../shop/ordering";
import { leave, nameTabs, onLeave, ordering, toast } from "../../shop/page";
import type { Language, Words } from "../../shop/words";
import { dictionaries } from "../../shop/words";

/** The user's name, if there is one, and the end of the id, for questions to the shop. */
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
    lastMessage: "",
    failure: "",
    busy: false,
    remembered: false,
  },
  methods: {
    onLoad() {
      const { client } = ordering();
      onLeave(
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
        lastMessage: heardAt > 0 ? fill(t.lastHeard, { time: clockTime(new Date(heardAt).toISOString()) }) : "",
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
        this.setData({ failure: errorTextOf(error as ApiError, ordering().words()) });
      } finally {
        this.setData({ busy: false });
        this.draw();
      }
    },
    speak(tap: { currentTarget: { dataset: Record<string, string> } }) {
      ordering().setLanguage(tap.currentTarget.dataset.language as Language);
      this.onShow();
    },
    /** The privacy guideline's name, as in the console. */
    readGuideline() {
      const { t } = this.data;
      if (wx.openPrivacyContract === undefined) return toast(t.privacyText);
      wx.openPrivacyContract({ fail: () => toast(t.privacyText) });
    },
    forget() {
      ordering().setAddress(undefined);
      toast(ordering().words().forgotten);
      this.draw();
    },
  },
});

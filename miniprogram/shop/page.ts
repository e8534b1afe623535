/** What pages do alike. */
import type { Ordering } from "./ordering";

export interface OrderingApp {
  ordering: Ordering;
}

export const ordering = (): Ordering => getApp<OrderingApp>().ordering;

/** What an instance of a page listens to. */
const heard = new WeakMap<object, (() => void)[]>();

/** Goes on until `leave(page)`. */
export const until = (page: object, ...stops: (() => void)[]): void =>
  void heard.set(page, [...(heard.get(page) ?? []), ...stops]);

export function leave(page: object): void {
  for (const stop of heard.get(page) ?? []) stop();
  heard.delete(page);
}

export const say = (title: string): void => void wx.showToast({ title, icon: "none", duration: 2_500 });

/** @returns whether the answer is yes */
export const confirm = (content: string): Promise<boolean> => {
  const { yes, no } = ordering().words();
  return new Promise((resolve) =>
    wx.showModal({
      content,
      confirmText: yes,
      cancelText: no,
      success: ({ confirm: confirmed }) => resolve(confirmed),
      fail: () => resolve(false),
    }),
  );
};

/**
 * Asks WeChat for the customer's consent to the shop's privacy guideline; once given, it asks no more.
 * Base libraries before 2.32.3 do not know the question. Source: developers.weixin.qq.com, PrivacyAuthorize.
 */
export const consent = (): Promise<boolean> =>
  new Promise((resolve) => {
    if (wx.requirePrivacyAuthorize === undefined) resolve(true);
    else wx.requirePrivacyAuthorize({ success: () => resolve(true), fail: () => resolve(false) });
  });

/** The texts that stand outside of pages. */
export function nameTabs(): void {
  const { menu, orders, account } = ordering().words();
  // Fails while a page without tabs is shown; the next page with tabs does it again.
  for (const [index, text] of [menu, orders, account].entries()) wx.setTabBarItem({ index, text, fail: () => {} });
}

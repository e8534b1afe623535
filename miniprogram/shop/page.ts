/** Functions shared by the pages: toasts, dialogs, consent, listeners. */
import type { Ordering } from "./ordering";

export interface OrderingApp {
  ordering: Ordering;
}

export const ordering = (): Ordering => getApp<OrderingApp>().ordering;

/** The functions that end a page's listeners, by page. */
const stopsOf = new WeakMap<object, (() => void)[]>();

/** Registers functions that `leave(page)` calls. */
export const onLeave = (page: object, ...stops: (() => void)[]): void =>
  void stopsOf.set(page, [...(stopsOf.get(page) ?? []), ...stops]);

export function leave(page: object): void {
  for (const stop of stopsOf.get(page) ?? []) stop();
  stopsOf.delete(page);
}

export const toast = (title: string): void => void wx.showToast({ title, icon: "none", duration: 2_500 });

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

/** Sets the texts outside of pages. */
export function nameTabs(): void {
  const { menu, orders, account } = ordering().words();
  // Fails while a page without tabs is shown; the next page with tabs sets them again.
  for (const [index, text] of [menu, orders, account].entries()) wx.setTabBarItem({ index, text, fail: () => {} });
}

/** How a session begins: with a code of `wx.login`, or as a guest where WeChat's codes are not accepted. */
import { config } from "../config";
import { type ApiRequest, asGuest } from "../lib/orderbell";

let begun: ApiRequest | undefined;

/** The request that began this session; undefined where it was kept from before. */
export const lastRequest = (): ApiRequest | undefined => begun;

const loginCode = () =>
  new Promise<string>((resolve, reject) => wx.login({ success: ({ code }) => resolve(code), fail: reject }));

/** A code is valid once: another try fetches a new one. */
export async function begin(): Promise<ApiRequest> {
  const byCode = async () => ({ method: "POST", path: "/login", body: { code: await loginCode() } }) as const;
  begun = config.signIn === "guest" ? await asGuest() : await byCode();
  return begun;
}

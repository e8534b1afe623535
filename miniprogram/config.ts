/**
 * Settings by the shop's developer. No other file names a domain or an app id: `npm run build:miniprogram` writes `appid` into
 * project.config.json, where WeChat's tools read it.
 */
export const config = {
  /** Your mini-program's app id, from mp.weixin.qq.com. "touristappid" opens in DevTools without an account. */
  appid: "touristappid",
  /** The API's address. Its domain must be entered in the console, for https and wss. */
  url: "https://api.example.com",
  /** The shop's id. */
  shop: "lanzhou-noodles",
  /** "wechat" signs in by wx.login. "guest" is for tests against `npm start`, whose stand-in for WeChat does not accept codes of real phones. */
  signIn: "wechat" as "wechat" | "guest",
};

/**
 * What a shop's developer sets. Nothing else names a domain or an app id: `npm run build:miniprogram` writes `appid` into
 * project.config.json, where WeChat's tools look for it.
 */
export const config = {
  /** Of your mini-program, from mp.weixin.qq.com. "touristappid" opens in DevTools without an account. */
  appid: "touristappid",
  /** The API. Its https and its wss address must stand among the server domains of the console. */
  url: "https://api.example.com",
  /** The shop's id. */
  shop: "lanzhou-noodles",
  /** "wechat" signs in by wx.login. "guest" is for trying against `npm start`, whose stand-in knows no codes of real phones. */
  signIn: "wechat" as "wechat" | "guest",
};

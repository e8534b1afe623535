/** Where the server is. It opens in DevTools as it stands, beside `npm start`. No other file names an address or an app id. */
export const config = {
  /** Your mini-program's app id, from mp.weixin.qq.com. "touristappid" opens in DevTools without an account. */
  appid: "touristappid",
  /** For a phone: https://…, and its domain must be entered in the console, for https and wss. */
  url: "http://127.0.0.1:8787",
  /** "wechat" signs in by wx.login; the stand-in for WeChat of `npm start` does not accept codes of real phones. */
  signIn: "guest" as "wechat" | "guest",
};

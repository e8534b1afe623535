import type { Words } from "./words.ts";

export const words: Words = {
  locale: "zh-CN",
  title: "取餐",
  preparing: "制作中",
  ready: "请取餐",
  noPreparing: "暂无",
  noReady: "做好了会显示在这里",
  fresh: "新",
  newlyReady: (numbers) => `${numbers.join("、")} 号请取餐`,
  more: (count) => `还有 ${count} 单`,
  closed: "已打烊",
  chime: "打开提示音",
  stale: (time) => `连接断开，号码停在 ${time}，请以柜台叫号为准`,
  loading: "正在取号码…",
  noAnswer: "暂时连不上",
  retry: "重试",
  chooseShop: "选择门店",
  noShops: "还没有门店",
  shopUnknown: "没有找到这家店，请检查网址",
};

import type { Words } from "./words.ts";

export const words: Words = {
  locale: "en-GB",
  title: "Pickup",
  preparing: "Preparing",
  ready: "Ready",
  noPreparing: "None",
  noReady: "Numbers appear here when they are ready",
  fresh: "new",
  newlyReady: (numbers) => `${numbers.join(", ")} ready for pickup`,
  more: (count) => `${count} more`,
  closed: "Closed",
  chime: "Turn the chime on",
  stale: (time) => `Connection lost. These numbers are of ${time}; please listen to the counter.`,
  loading: "Fetching numbers…",
  noAnswer: "No connection right now",
  retry: "Try again",
  chooseShop: "Choose a shop",
  noShops: "There are no shops yet",
  shopUnknown: "There is no such shop; please check the address",
};

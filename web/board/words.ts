/** Every word of the pickup board. */
export interface Words {
  locale: string;
  title: string;
  preparing: string;
  ready: string;
  noPreparing: string;
  noReady: string;
  fresh: string;
  newlyReady(numbers: readonly string[]): string;
  more(count: number): string;
  closed: string;
  chime: string;
  stale(time: string): string;
  loading: string;
  noAnswer: string;
  retry: string;
  chooseShop: string;
  noShops: string;
  shopUnknown: string;
}

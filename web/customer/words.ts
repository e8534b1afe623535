/** Every word of the customer's page. */
import type { ReasonCode, Service, Status } from "../../shared/order_states.ts";
import type { StateWords } from "../shared/state_banner.tsx";

export interface Words {
  locale: string;
  title: string;
  close: string;
  back: string;
  cancel: string;
  loading: string;
  noAnswer: string;
  state: StateWords;
  // Shops
  chooseShop: string;
  noShops: string;
  allShops: string;
  shopUnknown: string;
  tableUnknown: string;
  open: string;
  closed: string;
  table(label: string): string;
  closedNow: string;
  kitchenOffline: string;
  kitchenSlow: string;
  guestsRefused: string;
  service: Record<Service, string>;
  /** For a delivery its terms stand there instead. */
  serviceHint: Record<Service, string>;
  scanTable: string;
  deliveryTerms(fee: string, minimum: string, freeFrom?: string): string;
  // Menu
  categories: string;
  choose: string;
  soldOut: string;
  nothingHere: string;
  less: string;
  more: string;
  // Dish
  exactly(count: number): string;
  atLeast(count: number): string;
  atMost(count: number): string;
  between(min: number, max: number): string;
  optional: string;
  chooseFirst(option: string): string;
  dishNote: string;
  dishNoteHint: string;
  addToCart(total: string): string;
  changeInCart(total: string): string;
  noted(note: string): string;
  added(dish: string): string;
  // Cart
  cart: string;
  emptyCart: string;
  emptyCartHint: string;
  clearCart: string;
  undo: string;
  edit: string;
  checkout: string;
  checkoutTotal(total: string): string;
  items(count: number): string;
  changed: string;
  mend: string;
  gone: string;
  optionsChanged: string;
  onlyLeft(left: number): string;
  newPrice(was: string, now: string): string;
  // Checkout
  confirmOrder: string;
  howToEat: string;
  deliverTo: string;
  name: string;
  phone: string;
  address: string;
  addressHint: string;
  keptHere: string;
  nameMissing: string;
  phoneWrong: string;
  addressMissing: string;
  orderNote: string;
  orderNoteHint: string;
  counted(count: number, max: number): string;
  tooLong(max: number, over: number): string;
  including(extras: string): string;
  notKept: string;
  wrongField(field: string): string;
  dishes: string;
  packing: string;
  deliveryFee: string;
  free: string;
  total: string;
  payLater: Record<Service, string>;
  submit(total: string): string;
  submitting: string;
  stillSending: string;
  belowMinimum(missing: string): string;
  priceChangedTitle: string;
  priceChanged(was: string, now: string): string;
  acceptPrice(total: string): string;
  lookAgain: string;
  refusal: Record<string, string>;
  /** Orders that wait: of this customer, this table, this network, the shop. */
  tooMany: Record<string, string> & { shop: string };
  /** @param time from when on, such as 12:05 */
  tooManyVisitors(time: string): string;
  refusedOtherwise(code: string): string;
  // Orders
  orders: string;
  activeOrder(number: string): string;
  noOrders: string;
  noOrdersHint: string;
  toMenu: string;
  olderOrders: string;
  messages: string;
  orderNumber: Record<Service, string>;
  status: Record<Status, string>;
  statusHint: Record<Status, string>;
  readyHint: Record<Service, string>;
  reason: string;
  reasons: Record<ReasonCode, string>;
  progress: string;
  placedAt: string;
  paid: string;
  cancelOrder: string;
  cancelQuestion: string;
  cancelHint: string;
  keepOrder: string;
  tooLateToCancel: string;
  orderAgain: string;
  orderUnknown: string;
  // Account
  account: string;
  signedInAs: string;
  guest: string;
  guestHint: string;
  customerNumber: string;
  until: string;
  savedAddress: string;
  forget: string;
  forgotten: string;
  signOut: string;
  signOutQuestion: string;
  signOutHint: string;
  signedOut: string;
  signedOutHint: string;
  signIn: string;
}

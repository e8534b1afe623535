/** Every word of the kitchen's page. */
import type { Role } from "../../clients/types.ts";
import type { Action, ReasonCode, Service, Status } from "../../shared/order_states.ts";

export interface Words {
  locale: string;
  title: string;
  close: string;
  back: string;
  cancel: string;
  retry: string;
  loading: string;
  // Pairing
  pairTitle: string;
  pairHint: string;
  pairByLink: string;
  pairCode: string;
  pair: string;
  pairing: string;
  unpaired: string;
  unpair: string;
  unpairQuestion: string;
  unpairHint: string;
  signedInAs(role: string, device: string): string;
  role: Record<Role, string>;
  // The shop
  open: string;
  closed: string;
  openShop: string;
  closeShop: string;
  closeQuestion: string;
  closeHint(waiting: number): string;
  closedLine: string;
  // Shift and sound
  startShift: string;
  endShift: string;
  soundOff: string;
  soundOffHint: string;
  turnOn: string;
  testSound: string;
  testLost: string;
  soundBlocked: string;
  notices: string;
  // The bell
  waiting(count: number): string;
  escalated(count: number): string;
  silence: string;
  showWaiting: string;
  comma: string;
  silenced: string;
  newOrder(number: string, where: string, portions: number): string;
  // The connection
  lastUpdate: string;
  line: { live: string; polling: string; lost: string; starting: string };
  lostTitle: string;
  lostHint: string;
  pollingLine: string;
  // The list
  queue: string;
  readyList: string;
  noQueue: string;
  noQueueHint: string;
  noQueueClosedHint: string;
  noneAtStation: string;
  noReady: string;
  stations: string;
  allStations: string;
  noStation: string;
  station: Record<string, string>;
  otherLines(count: number): string;
  ticket(number: string, where: string): string;
  place: Record<Service, string>;
  table(label: string): string;
  minutes(count: number): string;
  age: { fresh: string; slow: string; late: string };
  nobodyAccepts: string;
  expiresIn(minutes: number): string;
  status: Record<Status, string>;
  struck: string;
  strike(dish: string): string;
  unstrike(dish: string): string;
  note: string;
  addressGone: string;
  guest: string;
  atCounter: string;
  paid: string;
  unpaid: string;
  total: string;
  // Steps
  step: Record<Action, string>;
  complete: Record<Service, string>;
  readyAtOnce: string;
  /** Of all stations. */
  allReady: string;
  stationReady(station: string): string;
  stationBack(station: string): string;
  recallFrom(status: Status): string;
  takeBack(step: string, number: string): string;
  extra: { packing: string; delivery: string };
  more: string;
  moreOf(number: string): string;
  sending: string;
  undo: string;
  undone(number: string): string;
  willBe(step: string, seconds: number): string;
  print: string;
  // Reasons
  rejectTitle(number: string): string;
  cancelTitle(number: string): string;
  reason: string;
  reasonHint: string;
  reasonNeeded: string;
  counted(count: number, max: number): string;
  tooLong(max: number, over: number): string;
  reasons: Record<ReasonCode, string>;
  doReject: string;
  doCancel: string;
  keepOrder: string;
  // Recall
  recallList: string;
  recallHint: string;
  noRecall: string;
  recalled(number: string): string;
  endedAt(time: string): string;
  // Totals
  totals: string;
  totalsHint: string;
  noTotals: string;
  // Dishes
  dishes: string;
  findDish: string;
  onSale: string;
  soldOut: string;
  left(count: number): string;
  notCounted: string;
  less: string;
  stockMore: string;
  setLeft: string;
  setLeftOf(dish: string): string;
  save: string;
  soldMeanwhile: string;
  noDish: string;
  soldOutCount(count: number): string;
  // Settings
  settings: string;
  size: string;
  sizes: Record<"small" | "usual" | "large", string>;
  ages: string;
  appearance: string;
  dark: string;
  light: string;
  device: string;
  paper: string;
  fullScreen: string;
  keys: string;
  keysHelp: readonly (readonly [string, string])[];
  // Refusals
  offlineRefused: string;
  notSent(number: string): string;
  othersFaster(number: string): string;
  failed(number: string, why: string): string;
  /** By code; another code is shown as it is. */
  refused: Record<string, string>;
  refusedOtherwise(code: string): string;
  watchOver: string;
}

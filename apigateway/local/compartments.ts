/** Compartments by caller and function: staff and orders have their own, strangers one for each function. */
import type { Bounds } from "./bulkhead.ts";
import type { Caller } from "./caller_cache.ts";
import type { Limits } from "./limits.ts";

/** Work of one kind of caller, with bounds of its own. If `urgent`, it may use every connection to the database. */
export interface Compartment {
  readonly name: string;
  readonly bounds: (limits: Limits) => Bounds;
  readonly urgent: boolean;
}

const unbounded = Number.POSITIVE_INFINITY;

const wide = ({ concurrency, queue }: Limits): Bounds => ({ running: concurrency, waiting: queue, share: 1 / 2 });
/** Those who come back after a restart are strangers at first: few run, but as many may wait as elsewhere. */
const narrow = ({ concurrency, queue }: Limits): Bounds => ({
  running: Math.ceil(concurrency / 10),
  waiting: queue,
  share: 1 / 2,
});
/** A poll runs while it waits. A session needs a few of them, a network of strangers many. */
const polling = ({ polls }: Limits): Bounds => ({ running: polls, waiting: 0, share: 1 / 100 });
const strangersPolling = ({ polls }: Limits): Bounds => ({ running: polls, waiting: 0, share: 1 / 4 });
/** Frames are never rejected: their socket is paused instead. */
const paused = ({ concurrency }: Limits): Bounds => ({ running: concurrency, waiting: unbounded, share: 1 / 10 });

const staff: Compartment = { name: "staff", bounds: wide, urgent: true };
const staffPolls: Compartment = { name: "staff polls", bounds: polling, urgent: true };
const orders: Compartment = { name: "orders", bounds: wide, urgent: true };
const customers: Compartment = { name: "customers", bounds: wide, urgent: false };
const polls: Compartment = { name: "polls", bounds: polling, urgent: false };
const rooms: Compartment = { name: "rooms", bounds: wide, urgent: false };
const staffFrames: Compartment = { name: "staff frames", bounds: paused, urgent: true };
const frames: Compartment = { name: "frames", bounds: paused, urgent: false };
const roomFrames: Compartment = { name: "room frames", bounds: paused, urgent: false };
const closing: Compartment = { name: "closing", bounds: paused, urgent: false };
const strangers = new Map<string, Compartment>();

/**
 * Business servers sign what they send, and are one or two networks for all their clients. Clients of collections that sign in
 * send their token in the body, where a gateway does not see it.
 */
const manyInOne = new Set(["wafer_channel", "collections"]);

function strangersOf(name: string): Compartment {
  const known = strangers.get(name);
  if (known !== undefined) return known;
  const bounds = name === "events" ? strangersPolling : manyInOne.has(name) ? wide : narrow;
  const made: Compartment = { name: `strangers: ${name}`, bounds, urgent: false };
  strangers.set(name, made);
  return made;
}

/** For a request to a function. */
export function compartmentOf({ kind }: Caller, name: string): Compartment {
  if (kind === "stranger") return strangersOf(name);
  if (kind === "staff") return name === "events" ? staffPolls : staff;
  if (name === "events") return polls;
  if (name === "bill" || name === "order") return orders;
  return name === "room" ? rooms : customers;
}

/** For a handshake. */
export const forHandshake = ({ kind }: Caller, name: string): Compartment =>
  kind === "stranger" ? strangersOf(name) : kind === "staff" ? staff : customers;

/** For a message on an open socket. The text is searched, not parsed: a message that contains such a word waits with the rooms'. */
export const forFrame = (kind: Caller["kind"], text: string): Compartment =>
  kind === "staff" ? staffFrames : /"(?:publish|enter|exit)"/.test(text) ? roomFrames : frames;

/** For the report that a socket was closed. */
export const forClose = closing;

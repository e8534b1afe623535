/** Bills on their way: each has its key and is in the store before it is sent, and stays there until it is answered. */
import { type Api, ApiError, isSignedOut, mayRetry, parse, unanswered } from "./api.ts";
import { makeHearers } from "./hearers.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import type { Keeper } from "./session.ts";
import type { Bill, OrderView, PendingBill } from "./types.ts";

export type HearBill = (bill: PendingBill, answer: OrderView | ApiError) => void;

export interface Outbox {
  /** @throws ApiError when it is refused, or when there was no answer for a quarter of an hour (`NO_ANSWER`) */
  submit(bill: Bill): Promise<OrderView>;
  /** What has no answer yet, oldest first. */
  pending(): PendingBill[];
  onPending(hear: HearBill): () => void;
  close(): void;
}

/** Nobody wants the noodles of noon at eight in the evening. Whether the order came through is seen in the list of orders. */
const patienceMs = 15 * 60_000;

/** @param pause waits so long, or until the network is back */
export function makeOutbox(
  { store, now, random }: Platform,
  name: string,
  { ask }: Api,
  { need, renew }: Keeper,
  pause: (ms: number) => Promise<void>,
): Outbox {
  const prefix = `${name}.bill.`;
  const hearers = makeHearers<Parameters<HearBill>>();
  let closed = false;

  const keep = (pending: PendingBill) => store.set(prefix + pending.key, JSON.stringify(pending));

  /** @param unsure it was sent before, and nobody knows whether it arrived */
  async function send(pending: PendingBill, unsure: boolean): Promise<OrderView> {
    let refused = 0;
    for (let tries = 1; ; tries++) {
      let token: string | undefined;
      let failure: unknown;
      try {
        if (now() - pending.at > patienceMs) throw unanswered();
        const session = await need();
        token = session.token;
        if (pending.user !== session.user.id) {
          // The key is the customer's: under another one it would be a second order.
          if (unsure) throw new ApiError("SESSION_ENDED", 401, "another customer");
          pending.user = session.user.id;
          keep(pending);
        }
        const headers = { "idempotency-key": pending.key };
        const body = pending.bill;
        return (await ask<{ order: OrderView }>({ method: "POST", path: "/bill", body, headers, once: true })).order;
      } catch (error) {
        failure = error;
      }
      if (closed) return new Promise(() => {});
      if (isSignedOut(failure) && token && refused++ === 0) {
        await renew(token).catch(() => {});
        continue;
      }
      const waitMs = waitAfter(failure, tries, random());
      if (!mayRetry(failure) || now() + waitMs - pending.at > patienceMs) throw failure;
      if (token) unsure = true;
      await pause(waitMs);
    }
  }

  async function settle(pending: PendingBill, unsure: boolean): Promise<OrderView> {
    const answer = await send(pending, unsure).catch((error: ApiError) => error);
    store.remove(prefix + pending.key);
    hearers.tell(pending, answer);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  const outbox: Outbox = {
    async submit(bill) {
      const part = () => random().toString(36).slice(2);
      const key = `${now().toString(36)}-${part()}-${part()}`;
      const pending = { key, bill, at: now(), user: "" };
      keep(pending);
      return settle(pending, false);
    },
    pending: () =>
      store
        .names()
        .filter((item) => item.startsWith(prefix))
        .map((item) => parse(store.get(item)) as PendingBill)
        .filter(Boolean)
        .sort((a, b) => a.at - b.at),
    onPending: hearers.add,
    close() {
      closed = true;
    },
  };
  for (const pending of outbox.pending()) settle(pending, pending.user !== "").catch(() => {});
  return outbox;
}

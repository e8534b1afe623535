/** The outbox: bills that are being sent. Each has its key and is stored before it is sent, and stays there until it is answered. */
import { type Api, ApiError, isSignedOut, mayRetry, noAnswer, parse, signedOut } from "./api.ts";
import { makeEmitter } from "./emitter.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import type { SessionStore } from "./session.ts";
import { giveUpMs, longWaitMs } from "./timing.ts";
import type { Bill, OrderView, PendingBill } from "./types.ts";

export type BillListener = (bill: PendingBill, answer: OrderView | ApiError) => void;

export interface Outbox {
  /** @throws ApiError when it is refused, when there was no answer for a quarter of an hour (`NO_ANSWER`), or when the client was closed (`CLOSED`) */
  submit(bill: Bill): Promise<OrderView>;
  /** Bills without an answer, oldest first. */
  pending(): PendingBill[];
  onPending(listener: BillListener): () => void;
  close(): void;
}

/** @param pause waits this long, or until the network is back */
export function makeOutbox(
  platform: Platform,
  name: string,
  { ask }: Api,
  { need, renew }: SessionStore,
  pause: (ms: number) => Promise<void>,
): Outbox {
  const { store, now, random } = platform;
  const prefix = `${name}.bill.`;
  const emitter = makeEmitter<Parameters<BillListener>>(platform);
  let closed: ApiError | undefined;

  const save = (pending: PendingBill) => store.set(prefix + pending.key, JSON.stringify(pending));

  /** @param unsure it was sent before, and may or may not have arrived */
  const send = async (pending: PendingBill, unsure: boolean): Promise<OrderView> => {
    let refused = 0;
    for (let tries = 1; !closed; tries++) {
      let token: string | undefined;
      try {
        if (now() - pending.at > giveUpMs) throw new ApiError(noAnswer, 0, "given up");
        const session = await need();
        token = session.token;
        if (pending.user !== session.user.id) {
          // The key belongs to the customer: for another customer it would make a second order.
          if (unsure) throw signedOut("SESSION_ENDED");
          pending.user = session.user.id;
          save(pending);
        }
        const { order } = await ask<{ order: OrderView }>({
          method: "POST",
          path: "/bill",
          body: pending.bill,
          headers: { "idempotency-key": pending.key },
          once: true,
        });
        return order;
      } catch (error) {
        if (isSignedOut(error) && token && !refused++) {
          await renew(token).catch(() => {});
          continue;
        }
        const waitMs = waitAfter(error, tries, platform);
        // Too long to wait without telling the customer: no new guest session for minutes, or WeChat refuses sign-ins.
        // A bill that may have arrived is still asked about, as long as there is a session.
        if (waitMs > longWaitMs && !(unsure && token)) throw unsure ? signedOut("SESSION_ENDED") : error;
        if (!mayRetry(error) || now() + waitMs - pending.at > giveUpMs) throw error;
        if (token) unsure = true;
        if (!closed) await pause(waitMs);
      }
    }
    throw closed;
  };

  const settle = async (pending: PendingBill, unsure: boolean): Promise<OrderView> => {
    const answer = await send(pending, unsure).catch((error: ApiError) => error);
    // The bill stays stored, and the next client asks about it.
    if (answer === closed) throw answer;
    store.remove(prefix + pending.key);
    emitter._emit(pending, answer);
    if (answer instanceof Error) throw answer;
    return answer;
  };

  const outbox: Outbox = {
    async submit(bill) {
      if (closed) throw closed;
      const pending = { key: `${now()}-${random()}-${random()}`, bill, at: now(), user: "" };
      save(pending);
      return settle(pending, false);
    },
    pending: () =>
      store
        .names()
        .filter((item) => item.startsWith(prefix))
        .flatMap((item) => (parse(store.get(item)) as PendingBill) ?? [])
        .sort((a, b) => a.at - b.at),
    onPending: emitter._listen,
    close() {
      closed = new ApiError("CLOSED", 0, "closed");
    },
  };
  for (const pending of outbox.pending()) settle(pending, !!pending.user).catch(() => {});
  return outbox;
}

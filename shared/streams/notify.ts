/** Notifications to a customer or a kitchen, by staff or another back end: stored and pushed. */
import * as v from "valibot";
import type { Row } from "../../db/database.ts";
import { hasOrdered, type IdempotencyKey, readKeys, readWhose, takeKeys } from "../../db/orders.ts";
import { insertNotification, readNotification } from "../../db/rooms.ts";
import { readUser } from "../../db/sessions.ts";
import { readShop } from "../../db/shops.ts";
import type { App } from "../app.ts";
import { KeyReused, OrderUnknown, ShopUnknown, UserUnknown } from "../errors.ts";
import type { Notification } from "../protocol.ts";
import * as shape from "../shape.ts";
import { change } from "./change.ts";
import { deliver } from "./deliver.ts";

export const notice = v.pipe(
  v.strictObject({
    /** To one customer, or … */
    user: v.optional(shape.ulid),
    /** … to a shop's kitchen; with `user`: which shop's customer it is. */
    shop: v.optional(shape.id),
    title: shape.text(60, 1),
    body: v.optional(shape.lines(500), ""),
    order: v.optional(shape.ulid),
  }),
  v.check(({ user, shop }) => user !== undefined || shop !== undefined, "a user or a shop"),
);
export type Notice = v.InferOutput<typeof notice>;

export interface Notifier {
  /** Owner of the idempotency keys. */
  readonly id: string;
  /** A notifier bound to a shop reaches only its kitchen and who has ordered there; one bound to none reaches any user. */
  readonly shop: string | null;
}

/**
 * Stores a notification and pushes it as an event `notification`. The same key again returns the same one.
 * @throws UserUnknown, ShopUnknown, OrderUnknown, KeyReused
 */
export async function notify(
  app: App,
  by: Notifier,
  asked: Notice,
  key: string,
): Promise<{ notification: Notification; repeated: boolean }> {
  const now = app.clock.now();
  const stream = asked.user === undefined ? `shop:${asked.shop}` : `user:${asked.user}`;
  const notification: Notification = {
    id: app.random.id(),
    title: asked.title,
    body: asked.body,
    at: new Date(now).toISOString(),
    ...(asked.order === undefined ? {} : { order: asked.order }),
  };
  const taken: IdempotencyKey = {
    owner_id: by.id,
    idem_key: key,
    body_hash: app.secrets.hash(JSON.stringify([asked.user, asked.shop, asked.title, asked.body, asked.order])),
    result_id: notification.id,
    created_at: now,
  };
  /** Whose customer the user must be. */
  const ofShop = by.shop ?? asked.shop;
  const reads = [
    readKeys([taken]),
    ...(asked.shop === undefined ? [] : [readShop(asked.shop)]),
    ...(asked.order === undefined ? [] : [readWhose([asked.order])]),
    ...(asked.user === undefined ? [] : [ofShop === undefined ? readUser(asked.user) : hasOrdered(asked.user, ofShop)]),
  ];
  await checkRecipients();
  const changed = await change(app, {
    locks: takeKeys(app.db.dialect, [taken]),
    streams: [stream],
    reads: [readKeys([taken]), readNotification(notification.id)],
    decide(_, [keys, stored]) {
      const known = keys?.[0];
      if (known?.body_hash !== taken.body_hash) throw new KeyReused();
      // An earlier try was committed, and its answer was lost.
      if (stored?.[0] !== undefined) return { result: notification };
      if (known.result_id !== notification.id) {
        const at = new Date(Number(known.created_at)).toISOString();
        return { result: { ...notification, id: String(known.result_id), at } };
      }
      return {
        writes: [insertNotification(notification.id, stream, JSON.stringify(notification), now)],
        events: [{ stream, type: "notification", data: notification, about: asked.order }],
        result: notification,
      };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  return { notification: changed.result, repeated: changed.events.length === 0 };

  /** Recipients must exist and, for a notifier bound to a shop, belong to it. A key used before skips this. */
  async function checkRecipients(): Promise<void> {
    const [keys, ...rest] = await app.db.read(reads);
    if (keys?.[0] !== undefined) return;
    const found = (at: number) => rest[at]?.[0] !== undefined;
    if (asked.shop !== undefined && !found(0)) throw new ShopUnknown(asked.shop);
    if (asked.user !== undefined && !found(rest.length - 1)) throw new UserUnknown(asked.user, ofShop);
    if (asked.order !== undefined && !fitsRecipients(rest[asked.shop === undefined ? 0 : 1]?.[0]))
      throw new OrderUnknown(asked.order);
  }

  /** Whether the named order is the customer's, and the shop's that sends or receives. */
  function fitsRecipients(order: Row | undefined): boolean {
    if (order === undefined || (ofShop !== undefined && order.shop_id !== ofShop)) return false;
    return asked.user === undefined || order.user_id === asked.user;
  }
}

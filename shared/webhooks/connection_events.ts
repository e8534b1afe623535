/** Events of sockets. They are stored only while a webhook asks for them. */
import { readConnection } from "../../db/connections.ts";
import type { App } from "../app.ts";
import type { Session } from "../sessions/session.ts";
import { change } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { type ConnectionType, connectionsStream } from "../webhook_types.ts";

type Holder = Pick<Session, "user" | "kind" | "shop" | "role">;

/** Never throws: the socket does not depend on it. */
export async function connectionOpened(app: App, connection: string, holder: Holder): Promise<void> {
  await quietly(app, async () => {
    if (await app.webhooks.isWanted("connection.opened")) await store(app, "connection.opened", connection, holder);
  });
}

/** Before the connection's row is removed. Never throws. */
export async function connectionClosed(app: App, connection: string): Promise<void> {
  await quietly(app, async () => {
    if (!(await app.webhooks.isWanted("connection.closed"))) return;
    const [rows = []] = await app.db.read([readConnection(connection)]);
    // It was closed by another way already.
    if (rows[0] === undefined) return;
    const { user_id, kind, shop_id, role } = rows[0];
    await store(app, "connection.closed", connection, {
      user: String(user_id),
      kind: kind as Session["kind"],
      shop: shop_id === null ? null : String(shop_id),
      role: role as Session["role"],
    });
  });
}

async function store(app: App, type: ConnectionType, connection: string, holder: Holder): Promise<void> {
  const { user, kind, shop, role } = holder;
  const stream = connectionsStream(shop);
  const data = { connection, user, kind, shop, role };
  await deliver(
    app,
    await change(app, {
      locks: [],
      streams: [stream],
      decide: () => ({ events: [{ stream, type, data }], result: undefined }),
      repeatable: false,
    }),
  );
}

async function quietly(app: App, work: () => Promise<void>): Promise<void> {
  await work().catch((error) => app.log.error("webhook.error", {}, error));
}

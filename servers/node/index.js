/** For business servers beside orderbell: webhooks, sessions, notifications. No dependency. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The request is no webhook of orderbell: answer it with 401. */
export class WebhookInvalid extends Error {
  name = "WebhookInvalid";
}

/** orderbell has refused a request. `code` is one of its error codes, and `status` the HTTP status. */
export class OrderbellError extends Error {
  name = "OrderbellError";
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A request that was recorded may not be sent again later. */
const toleranceMs = 5 * 60_000;

const headerOf = (headers, name) =>
  String((typeof headers.get === "function" ? headers.get(name) : headers[name]) ?? "");

const equal = (a, b) => a.length === b.length && timingSafeEqual(a, b);

export function verifyWebhook(body, headers, secrets, { now = Date.now() } = {}) {
  const [id, timestamp, given] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    headerOf(headers, name),
  );
  if (id === "" || !/^\d{1,12}$/.test(timestamp)) throw new WebhookInvalid("the headers of a webhook are missing");
  if (Math.abs(now - Number(timestamp) * 1_000) > toleranceMs)
    throw new WebhookInvalid("its timestamp is more than five minutes away");
  const signatures = given.split(" ").filter((one) => one.startsWith("v1,"));
  const isSigned = [secrets].flat().some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    if (key.length === 0) throw new TypeError("the secret of a webhook is whsec_ and base64");
    const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
    return signatures.some((one) => equal(Buffer.from(one.slice(3), "base64"), expected));
  });
  if (!isSigned) throw new WebhookInvalid("its signature is not made with this secret");
  return JSON.parse(Buffer.from(body).toString("utf8"));
}

export function connectOrderbell({ url, key, timeoutMs = 10_000, fetch: send = fetch }) {
  async function ask(path, body, headers) {
    const response = await send(url.replace(/\/+$/, "") + path, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${key}`, ...headers },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok)
      throw new OrderbellError(response.status, answer.code ?? "UNKNOWN", answer.detail ?? answer.title);
    return answer;
  }

  return {
    async verifySession(token) {
      if (!token) return undefined;
      const found = await ask("/introspect", new URLSearchParams({ token }));
      if (!found.active) return undefined;
      const { sub: user, sid: session, kind, shop, role, exp } = found;
      return { user, session, kind, shop: shop ?? null, role: role ?? null, expiresAt: new Date(exp * 1_000) };
    },

    async publish(room, id, data) {
      const headers = { "content-type": "application/json" };
      const path = `/rooms/${encodeURIComponent(room)}/messages`;
      return (await ask(path, JSON.stringify({ id, data }), headers)).message;
    },

    async notify(notice, idempotencyKey) {
      const headers = { "content-type": "application/json", "idempotency-key": idempotencyKey };
      return (await ask("/notify", JSON.stringify(notice), headers)).notification;
    },
  };
}

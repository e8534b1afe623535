/** A business server that webhooks are sent to. It verifies each signature by the words of Standard Webhooks. */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CloudEvent } from "../../shared/webhooks/cloud_event.ts";
import { addWebhook } from "../../shared/webhooks/webhooks.ts";
import type { House } from "../_house.ts";
import { until } from "../_until.ts";

/** What the house of such a test needs: the receiver is on this machine. */
export const webhookEnvironment = { CALLBACK_NETWORKS: "127.0.0.0/8" };

export interface Received {
  readonly event: CloudEvent;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
}

export interface Receiver {
  readonly url: string;
  /** The secret that the house gave; each request is verified with it. */
  secret: string;
  /** Every request, in the order of coming. */
  readonly requests: Received[];
  /** The status that it answers with; `hang` never answers. */
  answer: (event: CloudEvent, at: number) => number | "hang" | Promise<number>;
  /** Events that were answered with success, each once, in the order of coming. */
  accepted(partition?: string): CloudEvent[];
  got(count: number, partition?: string): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** `v1,` and the signature, if the request is what Standard Webhooks asks for. */
function isSigned(headers: IncomingHttpHeaders, body: string, secret: string): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300 * 24 * 3_600) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return String(signatures).split(" ").includes(`v1,${expected}`);
}

export async function openReceiver(): Promise<Receiver> {
  const faults: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => void serve(Buffer.concat(chunks).toString(), request.headers, response));
  });
  async function serve(body: string, headers: IncomingHttpHeaders, response: ServerResponse): Promise<void> {
    const event = JSON.parse(body) as CloudEvent;
    if (!isSigned(headers, body, receiver.secret) || headers["webhook-id"] !== event.id) faults.push(body);
    const status = await receiver.answer(event, receiver.requests.length);
    receiver.requests.push({ event, headers, body, status: status === "hang" ? 0 : status });
    if (status !== "hang") response.writeHead(status).end();
  }
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/events`,
    secret: "",
    requests: [],
    answer: () => 200,
    accepted(partition) {
      const seen = new Set<string>();
      return receiver.requests
        .filter(({ status }) => status >= 200 && status < 300)
        .map(({ event }) => event)
        .filter(({ id, partitionkey }) => {
          if (seen.has(id) || (partition !== undefined && partitionkey !== partition)) return false;
          seen.add(id);
          return true;
        });
    },
    got: (count, partition) =>
      until(
        () => receiver.accepted(partition).length >= count,
        `${count} events`,
        () => receiver.requests.map(({ event, status }) => `${event.type} ${event.id} ${status}`),
      ),
    down: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    up: () => listen(port),
    async close() {
      if (server.listening) await receiver.down();
      if (faults.length > 0) throw new Error(`requests with a wrong signature came: ${faults.join("\n")}`);
    },
  };
  return receiver;
}

/** Adds a webhook to this receiver. @returns its id */
export async function subscribe(
  house: Pick<House, "app">,
  receiver: Receiver,
  { shop = null, types }: { shop?: string | null; types?: readonly string[] } = {},
): Promise<string> {
  const { webhook, secret } = await addWebhook(house.app, { url: receiver.url, shop, types });
  receiver.secret = secret;
  return webhook;
}

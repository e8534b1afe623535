/** A business server asks for a tunnel: where callbacks will go, and the address for its client. */
import * as v from "valibot";
import type { App } from "../app.ts";
import { parseJson } from "../json.ts";
import { allowedUrl } from "../outbound.ts";
import { parse } from "../shape.ts";
import { authenticateForTunnel, callbackHosts, confirmAsker } from "./channels.ts";
import { type ChannelAnswer, type Envelope, signedAnswer } from "./envelope.ts";
import { moveUrl, unwrapUrl } from "./receive_url.ts";
import { createTunnel } from "./tunnels.ts";

/** Read leniently, as the envelope is: C# repeats its key here. */
const request = v.object({
  receiveUrl: v.pipe(v.string(), v.maxLength(1_024, "at most 1024 characters")),
  protocolType: v.nullish(v.picklist(["wss", "ws"])),
});

/** The address for callbacks is not one that this channel may have. Told with HTTP 200. */
export class ReceiveUrlRefused extends Error {
  override readonly name = "ReceiveUrlRefused";
}

/** @param socket where clients open their tunnels: `wss://…/pgws` @throws ChannelUnknown, ReceiveUrlRefused, Malformed, InvalidInput */
export async function makeTunnel(app: App, envelope: Envelope, socket: string): Promise<ChannelAnswer> {
  const asker = await authenticateForTunnel(app, envelope);
  const { row, key } = asker;
  const { receiveUrl } = parse(request, parseJson(envelope.data), "data");
  const plain = unwrapUrl(receiveUrl);
  if (plain === undefined) throw new ReceiveUrlRefused("receiveUrl is no http or https address");
  const url = row.receive_url === null ? plain : moveUrl(plain, row.receive_url);
  try {
    allowedUrl(url, callbackHosts(app, row));
  } catch (error) {
    throw new ReceiveUrlRefused(`receiveUrl: ${(error as Error).message}`);
  }
  await confirmAsker(app, asker);
  const channel = { tcId: row.tc_id, receiveUrl: url, keepsBodies: row.keeps_bodies === 1 };
  const { tunnelId, ticket } = await createTunnel(app, channel);
  const connectUrl = `${socket}?tunnelId=${tunnelId}&ticket=${ticket}`;
  // As text for everybody: the SDKs for Node and PHP take nothing else, the others take that too.
  return signedAnswer({ tunnelId, connectUrl }, key, "text");
}

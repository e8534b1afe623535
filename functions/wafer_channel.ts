/**
 * The channel service for Wafer's SDKs, in the place of the hosted one: a business server asks for a tunnel, pushes to tunnels,
 * and looks at what happened to one. The SDKs append their paths to a configured address as it is, so a prefix and doubled
 * slashes come along.
 */
import { type HttpAnswer, type HttpRequest, http, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { Forbidden, InvalidInput, Malformed, RouteUnknown, UpgradeRequired } from "../shared/errors.ts";
import { parseJson } from "../shared/json.ts";
import { askChannelLog } from "../shared/wafer/channel_log.ts";
import { authenticate, ChannelUnknown } from "../shared/wafer/channels.ts";
import { type ChannelAnswer, type Envelope, parseEnvelope, signedAnswer } from "../shared/wafer/envelope.ts";
import { makeTunnel, ReceiveUrlRefused } from "../shared/wafer/make_tunnel.ts";
import { push } from "../shared/wafer/push.ts";
import { socketUrlOf } from "./_socket_url.ts";

type Ask = (app: App, envelope: Envelope, request: HttpRequest) => Promise<ChannelAnswer>;

const asks: Readonly<Record<string, Ask>> = {
  "/get/wsurl": (app, envelope, request) => makeTunnel(app, envelope, socketUrlOf(app, request)),
  async "/ws/push"(app, envelope) {
    const { row, key } = await authenticate(app, envelope);
    const invalidTunnelIds = await push(app, row.tc_id, parseJson(envelope.data));
    if (envelope.dataEncode !== "json") return signedAnswer({ invalidTunnelIds }, key, "object");
    // Releases of the SDK for C# read another name, and throw where it is missing.
    return signedAnswer({ invalidTunnelIds, invalidTunnels: invalidTunnelIds }, key, "text");
  },
  "/ws/log": askChannelLog,
};

/** The codes of refusals; those of the server SDKs where they have one for it. */
const codes = { badData: 9004, badSignature: 9003, badReceiveUrl: 9005 } as const;

/** The SDKs look at `code` and not at the status: with any other status than 200 some of them end their process. */
async function answer(app: App, request: HttpRequest, ask: Ask): Promise<HttpAnswer> {
  const envelope = parseEnvelope(request.json());
  request.notes.channel = envelope.tcId;
  try {
    return ok(await ask(app, envelope, request));
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    request.notes.code = String(refusal.code);
    return ok(refusal);
  }
}

function refusalOf(error: unknown): ChannelAnswer | undefined {
  const refused = (code: number) => ({ code, message: (error as Error).message });
  if (error instanceof ChannelUnknown) return refused(codes.badSignature);
  if (error instanceof ReceiveUrlRefused) return refused(codes.badReceiveUrl);
  if (error instanceof InvalidInput || error instanceof Malformed || error instanceof Forbidden)
    return refused(codes.badData);
  return undefined;
}

const routeOf = (path: string): string | undefined => {
  const plain = path.replace(/\/{2,}/g, "/");
  return Object.keys(asks).find((own) => plain.endsWith(own));
};

const serve = (path: string) => (app: App, request: HttpRequest) => answer(app, request, asks[path] as Ask);

export const handler = http({
  "POST /get/wsurl": serve("/get/wsurl"),
  "POST /ws/push": serve("/ws/push"),
  "POST /ws/log": serve("/ws/log"),
  async "POST /{proxy+}"(app, request) {
    const { rawPath } = request.event;
    const path = routeOf(rawPath);
    // As `not_found` says: on AWS this route takes every POST that no other one does.
    if (path === undefined && rawPath === "/pgws") throw new UpgradeRequired();
    if (path === undefined) throw new RouteUnknown("POST", rawPath);
    return serve(path)(app, request);
  },
});

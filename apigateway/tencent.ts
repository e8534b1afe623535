/**
 * Pushes at Tencent, for its register/transmit/cleanup contract: by one reverse-push address, unsigned, inside its network.
 * Tencent is switching that gateway off; this contract remains. Source: SCF's WebSocket pages.
 */

import { boundedFetch } from "../shared/bounded_fetch.ts";
import { maxPushAnswerBytes, PushRefused } from "./aws.ts";
import type { Pusher } from "./remote.ts";

export function tencentPusher(pushUrl: string, timeoutMs: number): Pusher {
  const push = (websocket: object) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ websocket }) };
    return boundedFetch(fetch, pushUrl, init, { timeoutMs, maxBytes: maxPushAnswerBytes });
  };

  return {
    async post(_, secConnectionID, data) {
      const answer = await push({ action: "data send", secConnectionID, dataType: "text", data });
      const errNo = numberIn(answer.text) ?? (answer.ok ? 0 : -1);
      if (answer.status === 404 || answer.status === 410) return "gone";
      if (answer.status === 429) return "throttled";
      if (!answer.ok || errNo !== 0) throw new PushRefused(answer.status);
      return "sent";
    },
    async drop(_, secConnectionID) {
      await push({ action: "closing", secConnectionID });
    },
  };
}

/** @returns undefined for an answer that is not JSON; 0 for an answer without a number */
function numberIn(text: string): number | undefined {
  try {
    return Number((JSON.parse(text) as { errNo?: unknown } | null)?.errNo ?? 0);
  } catch {
    return undefined;
  }
}

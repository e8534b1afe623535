/**
 * The adapter to Tencent's register/transmit/cleanup contract: pushes by one reverse-push address, unsigned, inside its network.
 * That gateway is being switched off; the contract lives on here. Source: SCF's WebSocket pages.
 */

import { PushRefused } from "./aws.ts";
import type { Pusher } from "./remote.ts";

export function tencentPusher(pushUrl: string, timeoutMs: number): Pusher {
  const tell = async (websocket: object) =>
    fetch(pushUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ websocket }),
      signal: AbortSignal.timeout(timeoutMs),
    });

  return {
    async post(_, secConnectionID, data) {
      const answer = await tell({ action: "data send", secConnectionID, dataType: "text", data });
      const { errNo } = (await answer.json().catch(() => ({ errNo: answer.ok ? 0 : -1 }))) as { errNo?: number };
      if (answer.status === 404 || answer.status === 410) return "gone";
      if (answer.status === 429) return "throttled";
      if (!answer.ok || (errNo ?? 0) !== 0) throw new PushRefused(answer.status);
      return "sent";
    },
    async drop(_, secConnectionID) {
      await tell({ action: "closing", secConnectionID });
    },
  };
}

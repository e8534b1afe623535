/**
 * The chat room of Wafer's demos (三木聊天室), as their business servers had it: who comes, leaves and speaks is broadcast,
 * an unknown tunnel is closed, and an id that the channel calls invalid is forgotten.
 */
import type { Pushed, Room, Tunnels, User } from "./_business.ts";

export function chatRoom({ broadcast, closeTunnel }: Tunnels): Room {
  const users = new Map<string, User>();
  let connected: string[] = [];

  async function tell(type: string, content: object): Promise<Pushed> {
    const pushed = await broadcast(connected, type, content);
    const invalid = pushed.data.invalidTunnelIds ?? [];
    connected = connected.filter((tunnel) => !invalid.includes(tunnel));
    for (const tunnel of invalid) users.delete(tunnel);
    return pushed;
  }

  return {
    onRequest: (tunnel, user) => void users.set(tunnel, user),
    async onConnect(tunnel) {
      const user = users.get(tunnel);
      if (user === undefined) return closeTunnel(tunnel);
      connected.push(tunnel);
      return tell("people", { total: connected.length, enter: user });
    },
    async onMessage(tunnel, type, content) {
      const user = users.get(tunnel);
      if (type !== "speak") return undefined;
      if (user === undefined) return closeTunnel(tunnel);
      return tell("speak", { who: user, word: (content as { word: string }).word });
    },
    async onClose(tunnel) {
      const user = users.get(tunnel);
      if (user === undefined) return closeTunnel(tunnel);
      users.delete(tunnel);
      connected = connected.filter((one) => one !== tunnel);
      return connected.length === 0 ? undefined : tell("people", { total: connected.length, leave: user });
    },
  };
}

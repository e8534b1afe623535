/** Who is in a room: the list as it was read, and what has changed since. */
import type { MemberView, StreamEvent } from "../../shared/protocol.ts";
import { safely } from "../emitter.ts";
import type { Platform } from "../platform.ts";
import type { Member, MembersChange } from "./types.ts";

export interface Members<Me> {
  _all(): Member<Me>[];
  /** Takes a list that was read. */
  _restart(views: readonly MemberView[]): void;
  /** Takes an event. @returns whether it says that this client's user has left */
  _take(event: StreamEvent): boolean;
}

export function makeMembers<Me>(
  platform: Platform,
  userOf: () => string | undefined,
  onMembers: ((members: Member<Me>[], change: MembersChange<Me>) => void) | undefined,
): Members<Me> {
  /** By user, in the order in which they came. */
  const members = new Map<string, Member<Me>>();
  const all = () => [...members.values()];

  function put(view: MemberView): MembersChange<Me> {
    const member = { ...view, me: view.user === userOf() } as Member<Me>;
    const change = members.has(view.user) ? { changed: member } : { joined: member };
    members.set(view.user, member);
    return change;
  }

  function remove(user: string): MembersChange<Me> {
    const left = members.get(user);
    members.delete(user);
    return left ? { left } : {};
  }

  const show = (change: MembersChange<Me>) => safely(platform, () => onMembers?.(all(), change));

  return {
    _all: all,
    _restart(views) {
      members.clear();
      for (const view of views) put(view);
      show({});
    },
    _take({ event, data }) {
      const view = data as MemberView;
      const hasLeft = event === "member.left";
      show(hasLeft ? remove(view.user) : put(view));
      return hasLeft && view.user === userOf();
    },
  };
}

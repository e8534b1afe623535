/**
 * Rooms: messages in order, their history, and who is there. An entry of its own, for every platform: it works through a client, with
 * the client's session and socket.
 */
import type { MemberView, MessageView, Position } from "../shared/protocol.ts";
import { ApiError, query } from "./api.ts";
import type { Client } from "./client.ts";
import { safely } from "./emitter.ts";
import { makeEntry } from "./rooms/entry.ts";
import { granted } from "./rooms/granted.ts";
import { makeGrants } from "./rooms/grants.ts";
import { makeMembers } from "./rooms/members.ts";
import { makePublisher } from "./rooms/publisher.ts";
import type { Message, Room, RoomOptions } from "./rooms/types.ts";

export { ApiError } from "./api.ts";
export type * from "./rooms/types.ts";

type Asker = Pick<Client, "ask" | "channel" | "session">;

interface Page {
  messages: (MessageView & { seq: number; at: string })[];
  more: boolean;
  position: Position;
}

interface Present {
  members: MemberView[];
  position: Position;
}

/**
 * Makes a room.
 * @param grantSec how long its grant is valid, seconds; a day by default
 * @returns its id, and a grant to read and write for anybody who has it
 * @throws ApiError TOO_MANY_ROOMS, ROOMS_OFF, FORBIDDEN, ROOMS_FULL
 */
export async function createRoom(client: Asker, grantSec?: number): Promise<{ id: string; grant: string }> {
  const { room, grant } = await client.ask<{ room: { id: string }; grant: string }>({
    method: "POST",
    path: "/rooms",
    body: { grantSec },
  });
  return { id: room.id, grant };
}

/**
 * Joins a room by a grant, until `leave()`.
 * @example const chat = room<{ text: string }>(client, id, { grant, history: 50, onMessage: ({ data }) => show(data.text) });
 */
export function room<Data = unknown, Me extends object = Record<string, unknown>>(
  client: Asker,
  id: string,
  { grant, history = 0, me, onMessage, onMembers, onReset, onError }: RoomOptions<Data, Me>,
): Room<Data, Me> {
  const { channel } = client;
  const [stream, presence] = [`room:${id}`, `presence:${id}`];
  const grants = makeGrants(channel.platform, grant);
  const userOf = () => client.session()?.user.id;
  const publisher = makePublisher(channel, stream, grants, userOf);
  const entry = makeEntry(channel, presence, grants, me, (error) => safely(channel.platform, () => onError?.(error)));
  const stops: (() => void)[] = [];
  let isThere = true;
  let isBegun = false;
  const members = makeMembers(channel.platform, userOf, onMembers);

  /** Asks about the room, with another grant where the first is refused. */
  async function ask<T>(path: string): Promise<T> {
    for (;;) {
      const used = await grants._get();
      try {
        const answer = await client.ask<T>({
          method: "GET",
          path: `/rooms/${id}/${path}`,
          headers: { "x-grant": used },
        });
        grants._accept();
        return answer;
      } catch (error) {
        if (!grants._refuse(used, error)) throw error;
      }
    }
  }

  const page = (before?: number, limit?: number) => ask<Page>(`messages?${query({ before, limit })}`);

  const messageOf = ({ seq, at, id, sender, data }: Page["messages"][number]): Message<Data> => ({
    seq,
    at,
    id,
    sender,
    mine: sender === userOf(),
    data: data as Data,
  });

  const show = (message: Page["messages"][number], isNew: boolean) =>
    safely(channel.platform, () => onMessage?.(messageOf(message), isNew));

  function leave(error?: ApiError): void {
    if (!isThere) return;
    isThere = false;
    entry._exit();
    for (const stop of stops) stop();
    grants._close();
    publisher._close(error ?? new ApiError("CLOSED", 0, "the room was left"));
  }

  function fail(error: ApiError): void {
    leave(error);
    safely(channel.platform, () => onError?.(error));
  }

  function tick(): void {
    entry._pump();
    publisher._pump();
  }

  function lose(): void {
    entry._lost();
    publisher._lost();
  }

  stops.push(
    channel.onMessage((message) => {
      if (!message) return;
      publisher._receive(message);
      entry._receive(message);
    }),
    channel.subscribe(
      stream,
      {
        async snapshot(still) {
          const { messages, position } = await page(undefined, history || 1);
          if (still()) {
            if (isBegun) safely(channel.platform, () => onReset?.());
            isBegun = true;
            if (history) for (const one of messages.reverse()) show(one, false);
          }
          return position;
        },
        onEvent: ({ seq, at, data }) => void show({ ...(data as MessageView), seq, at }, true),
        onError: fail,
      },
      // The client was closed, or the room has ended.
      granted(grants, { _tick: tick, _lost: lose, _close: leave }),
    ),
  );
  if (onMembers)
    stops.push(
      channel.subscribe(
        presence,
        {
          async snapshot(still) {
            const now = await ask<Present>("members");
            if (still()) members._restart(now.members);
            return now.position;
          },
          onEvent(event) {
            // The server believes so; this client knows better.
            if (members._take(event)) entry._again();
          },
          onError: fail,
        },
        granted(grants, { _tick: tick, _lost: lose, _close() {} }),
      ),
    );

  return {
    id,
    publish: publisher._publish,
    async history(before, limit) {
      const { messages, more } = await page(before, limit);
      return { messages: messages.reverse().map(messageOf), more };
    },
    update: entry._update,
    members: members._all,
    leave: () => leave(),
  };
}

/** Guests and their backlogs, made by rows in thousands a second. */
import { type Dialect, insertRows } from "../db/dialect.ts";
import type { App } from "../shared/app.ts";
import { newToken } from "../shared/sessions/session.ts";

export interface Guest {
  readonly token: string;
  readonly session: string;
  readonly stream: string;
}

/** Sessions as `POST /login/guest` makes them, and streams with so many events, many rows in a statement. */
export async function makeGuests(to: App, count: number, events: number): Promise<Guest[]> {
  const guests: Guest[] = [];
  const chunk = 500;
  for (let done = 0; done < count; done += chunk) {
    const at = to.clock.now();
    const chunked = Array.from({ length: Math.min(chunk, count - done) }, () => {
      const [user, session] = [to.random.id(), to.random.id()];
      return { user, session, ...newToken(to, "guest", user, session) };
    });
    const streams =
      events === 0 ? [] : chunked.map(({ user }) => ({ stream: `user:${user}`, tags: tagsOf(to, events) }));
    await to.db.flight({
      statements: [
        ...insertRows(
          to.db.dialect,
          "users",
          chunked.map(({ user }) => ({ id: user, created_at: at })),
        ),
        ...insertRows(
          to.db.dialect,
          "sessions",
          chunked.map(({ user, session, hash }) => ({
            id: session,
            user_id: user,
            kind: "guest",
            token_hash: hash,
            created_at: at,
            seen_at: at,
            expires_at: at + to.config.sessionMs.guest,
          })),
        ),
        ...backlogOf(to.db.dialect, streams, at),
      ],
    });
    guests.push(...chunked.map(({ token, session, user }) => ({ token, session, stream: `user:${user}` })));
  }
  return guests;
}

const tagsOf = (to: App, count: number) => ["", ...Array.from({ length: count }, () => to.random.tag())];

function backlogOf(
  dialect: Dialect,
  streams: readonly { readonly stream: string; readonly tags: readonly string[] }[],
  at: number,
) {
  if (streams.length === 0) return [];
  return [
    ...insertRows(
      dialect,
      "streams",
      streams.map(({ stream, tags }) => ({
        name: stream,
        epoch: "bench",
        seq: tags.length - 1,
        tag: tags.at(-1) as string,
        prev: "",
        changed_at: at,
        source_seq: 0,
      })),
    ),
    ...insertRows(
      dialect,
      "events",
      streams.flatMap(({ stream, tags }) =>
        tags.slice(1).map((tag, nth) => ({
          stream,
          seq: nth + 1,
          tag,
          prev: tags[nth] as string,
          type: "notification",
          data: JSON.stringify({
            id: `n${nth}`,
            title: "bench",
            body: "x".repeat(300),
            at: new Date(at).toISOString(),
          }),
          at,
        })),
      ),
    ),
  ];
}

/** What is decided on a tunnel's locked row, without a database: who starts the work, and what a queue takes. */
import type { TunnelRow } from "../../db/wafer.ts";
import { TunnelEdit } from "../../shared/wafer/tunnel_edit.ts";

const now = 1_000_000;
const row = (more: Partial<TunnelRow> = {}): TunnelRow => ({
  id: "e2a1b6d0-7a54-4f4e-9d57-7a3f3a1c2b10",
  tc_id: "271f357a0eca8123fbf80993f30cfcef",
  connect_hash: "hash",
  receive_url: "https://biz.example.com/tunnel",
  keeps_bodies: 0,
  created_at: now - 5_000,
  connection_id: "connection",
  gateway: "gateway",
  opened_at: now - 4_000,
  heard_at: now - 4_000,
  closed_at: null,
  close_reason: null,
  in_seq: 1,
  in_done: 1,
  in_bytes: 0,
  call_at: null,
  call_lease: null,
  out_seq: 0,
  out_done: 0,
  out_bytes: 0,
  send_at: null,
  send_lease: null,
  ...more,
});
const edited = (more: Partial<TunnelRow>, change: (edit: TunnelEdit) => unknown) => {
  const edit = new TunnelEdit(row(more), now);
  return { result: change(edit), starts: edit.startsCalls, after: edit.row, frames: edit.frames };
};

describe("a tunnel's change", () => {
  it.each([
    ["starts a worker where none is", null, true, now],
    ["leaves a worker alone", now + 10_000, false, now + 10_000],
    ["leaves one alone that was just started", now - 100, false, now - 100],
    ["starts another one where the worker has died", now - 5_000, true, now],
  ])("by a message %s", (_, call_at, starts, after) => {
    const outcome = edited({ call_at }, (edit) => edit.message("{}"));
    expect(outcome).toMatchObject({ result: "stored", starts, after: { call_at: after, in_seq: 2 } });
  });

  it("opens once, calls first, and lets out what was pushed before", () => {
    const unopened = { opened_at: null, in_seq: 0, in_done: 0, out_seq: 3 };
    const { result, after, frames } = edited(unopened, (edit) => [edit.open(), edit.open(), edit.message("{}")]);
    expect(result).toEqual([true, false, "stored"]);
    expect(after).toMatchObject({ opened_at: now, send_at: now, in_seq: 2 });
    expect(frames.map(({ kind, seq }) => `${kind} ${seq}`)).toEqual(["connect 1", "message 2"]);
  });

  it("closes once, with one call, and takes nothing behind it", () => {
    const { result, after, frames } = edited({}, (edit) => [
      edit.close("client"),
      edit.close("silent"),
      edit.message("{}"),
      edit.open(),
    ]);
    expect(result).toEqual([true, false, "closed", false]);
    expect(after).toMatchObject({ closed_at: now, close_reason: "client", in_seq: 2 });
    expect(frames.map(({ kind }) => kind)).toEqual(["close"]);
  });

  it("has no call when it closes without ever having been open", () => {
    const { result, frames, starts } = edited({ opened_at: null, in_seq: 0, in_done: 0 }, (edit) =>
      edit.close("unused"),
    );
    expect([result, frames, starts]).toEqual([false, [], false]);
  });

  it("takes a close for its client however much waits", () => {
    const full = { out_seq: 1_000, out_bytes: 5_000, send_at: now + 1 };
    const { result, after } = edited(full, (edit) => [edit.send("message", "{}"), edit.send("close", null)]);
    expect(result).toEqual([false, true]);
    expect(after).toMatchObject({ out_seq: 1_001, send_at: now + 1 });
  });

  it("keeps frames for a client that is not there yet, and nobody sends them", () => {
    const { result, after } = edited({ opened_at: null }, (edit) => edit.send("message", "{}"));
    expect([result, after.out_seq, after.send_at]).toEqual([true, 1, null]);
  });

  it("drops what waits when nobody is there", () => {
    const { after } = edited({ out_seq: 5, out_bytes: 10, send_at: now, send_lease: "x" }, (edit) => edit.discard());
    expect(after).toMatchObject({ out_done: 5, out_bytes: 0, send_at: null, send_lease: null });
  });
});

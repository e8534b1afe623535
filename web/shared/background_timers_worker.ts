/** Worker with the timers of a page that may be hidden: `{id, ms}` begins one, `{id}` ends it; it answers with the id. */
const timers = new Map<number, ReturnType<typeof setTimeout>>();

addEventListener("message", ({ data: { id, ms } }: MessageEvent<{ id: number; ms?: number }>) => {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (ms === undefined) return;
  timers.set(
    id,
    setTimeout(() => {
      timers.delete(id);
      postMessage(id);
    }, ms),
  );
});

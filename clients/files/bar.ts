/** What a progress bar shows: the bytes of all requests together. */

export interface Bar {
  /** How much of one part has gone. */
  _sent(part: number, bytes: number): void;
  /** Everything goes again. */
  _restart(): void;
  /** Everything is there. */
  _full(): void;
}

/** It never falls: a part that goes again must first catch up. */
export function makeBar(total: number, show: (sent: number) => void): Bar {
  const parts = new Map<number, number>();
  let shown = -1;
  const rise = (to: number) => {
    if (to <= shown) return;
    shown = to;
    show(to);
  };
  return {
    _sent(part, bytes) {
      parts.set(part, bytes);
      rise([...parts.values()].reduce((sum, one) => sum + one));
    },
    _restart: () => parts.clear(),
    _full: () => rise(total),
  };
}

/** Monotonic clock that all processes of this machine share, in milliseconds. */

const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const monotonicMs = () => origin + performance.now();

/** Monotonic clock that all processes and threads of this machine share: milliseconds since it started. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

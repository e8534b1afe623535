/** Clock of the generator, the same in all its threads: milliseconds since the machine started. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

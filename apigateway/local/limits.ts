/** How much of everything. */
export interface Limits {
  readonly streamsPerConnection: number;
  /** Bytes that may wait for a reader. */
  readonly maxBufferBytes: number;
  readonly maxBodyBytes: number;
  /** Bytes of all bodies that are held at once; beyond it the answer is 503. */
  readonly maxBodiesBytes: number;
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
  readonly idleMs: number;
  readonly durationMs: number;
  readonly httpTimeoutMs: number;
  readonly socketTimeoutMs: number;
  /** From the first byte of a request to the last of its headers, and to the last of its body. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Invocations at once; beyond it the answer is 503. */
  readonly concurrency: number;
  /** Frames of one connection served at once; beyond it the socket is read no further. */
  readonly framesPerConnection: number;
  readonly maxConnections: number;
  readonly stopMs: number;
}

/** AWS's numbers where AWS has them. */
export const awsLimits: Limits = {
  streamsPerConnection: 20,
  maxBufferBytes: 256 * 1_024,
  maxBodyBytes: 10 * 1_024 * 1_024,
  maxBodiesBytes: 128 * 1_024 * 1_024,
  maxFrameBytes: 32 * 1_024,
  maxMessageBytes: 128 * 1_024,
  idleMs: 10 * 60_000,
  durationMs: 2 * 3_600_000,
  httpTimeoutMs: 30_000,
  socketTimeoutMs: 29_000,
  headersMs: 15_000,
  requestMs: 60_000,
  concurrency: 1_000,
  framesPerConnection: 50,
  maxConnections: 20_000,
  stopMs: 10_000,
};

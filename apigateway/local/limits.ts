/** Limits of the gateway of this machine. */
export interface Limits {
  readonly streamsPerConnection: number;
  /** Bytes that may wait for a reader. */
  readonly maxBufferBytes: number;
  readonly maxBodyBytes: number;
  /** Bytes of request bodies in memory, of strangers, customers and staff each; beyond it the answer is 503. */
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
  /** Likewise, of a route that takes larger bodies than others. */
  readonly largeRequestMs: number;
  /** Invocations at once in each compartment (compartments.ts), and how many may wait for one; beyond it the answer is 503. */
  readonly concurrency: number;
  readonly queue: number;
  /** The answer 503 to a stranger is delayed by so much, so that a client that retries at once retries no faster. */
  readonly overloadDelayMs: number;
  /** `GET /events` that wait at once, of strangers, customers and staff each. */
  readonly polls: number;
  /** Frames of one connection served at once; beyond it the socket is read no further. */
  readonly framesPerConnection: number;
  readonly maxConnections: number;
  /** HTTP connections whose request is not complete yet, and those that wait for the next one. */
  readonly receivingPerNetwork: number;
  readonly receiving: number;
  readonly idlePerNetwork: number;
  readonly idle: number;
  /** The longest time for a client to read an answer. */
  readonly answerMs: number;
  /** At a stop, for a file that is on its way. */
  readonly transferStopMs: number;
  /** A stop as a whole. */
  readonly stopMs: number;
}

/** AWS's numbers where AWS has them. */
export const awsLimits: Limits = {
  streamsPerConnection: 20,
  maxBufferBytes: 256 * 1_024,
  maxBodyBytes: 10 * 1_024 * 1_024,
  maxBodiesBytes: 64 * 1_024 * 1_024,
  maxFrameBytes: 32 * 1_024,
  maxMessageBytes: 128 * 1_024,
  idleMs: 10 * 60_000,
  durationMs: 2 * 3_600_000,
  httpTimeoutMs: 30_000,
  socketTimeoutMs: 29_000,
  headersMs: 10_000,
  requestMs: 30_000,
  largeRequestMs: 120_000,
  concurrency: 1_000,
  queue: 1_000,
  overloadDelayMs: 1_000,
  polls: 2_000,
  framesPerConnection: 50,
  maxConnections: 20_000,
  receivingPerNetwork: 256,
  receiving: 4_000,
  idlePerNetwork: 4_000,
  idle: 8_000,
  answerMs: 60_000,
  transferStopMs: 2_000,
  stopMs: 10_000,
};

/** Times and limits. One file without imports, so that a bundler inlines the numbers. */

/** An answer that takes longer means that the socket is dead. */
export const answerMs = 10_000;
/** A question without an answer is repeated after this time. */
export const askAgainMs = 2_000;
export const tickMs = 1_000;
/** The bound of streams in one message. */
export const maxStreams = 20;
/** The longest time the server holds a poll. */
export const pollWaitSec = 20;
/** Polls at one time: a browser has six connections to a host, a mini-program ten, and other requests need some of them. */
export const maxWaiting = 2;
/** The pause when the session has too many connections: another one would only close the oldest. */
export const tooManyConnectionsMs = 60_000;
/** A bill without an answer is given up after this time: a late order is worse than none. The list of orders shows whether it arrived. */
export const giveUpMs = 900_000;
/** A bill refused for this long or less stays "being sent"; for longer, the customer gets the error with the time. */
export const longWaitMs = 20_000;
export const stepTries = 4;

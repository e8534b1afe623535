/** The arguments do not fit a command. The message is for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

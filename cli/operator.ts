/** Who runs the command line, for the audit. */
import { hostname, userInfo } from "node:os";

/** The operating system's user and this machine, such as `li@counter`. */
export function operator(): string {
  return `${userName()}@${hostname()}`.slice(0, 160);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have a number and no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

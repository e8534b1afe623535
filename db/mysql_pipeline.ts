/**
 * Sends many commands to MySQL in one write. The server works through what lies in its socket, one command after the other, and
 * answers in that order; `mysql2` sends a command only when the one before it is answered.
 *
 * Of mysql2 this uses what its documents do not name: `addCommand`, `sequenceId`, and that a command takes its own packets. Its
 * version is fixed in package.json, and the contract of the engines fails if one of these changes.
 */

/** mysql2's callback connection. */
export interface CoreConnection {
  query(text: string, done: Done): void;
  prepare(text: string, done: Done): void;
  /** Closes the statement on the server. */
  unprepare(text: string): void;
  addCommand(command: Command): Command;
  destroy(): void;
  sequenceId: number;
  readonly stream: { cork(): void; uncork(): void };
}

export type Done = (error: Error | null, result: unknown) => void;

interface Command {
  /** @returns whether it is over. Without a packet, it begins: it sends its own. */
  execute(packet: unknown, connection: CoreConnection): boolean;
  onResult?: ((error: Error) => void) | undefined;
}

/** Resolves when all are answered, the failed ones as well. @param start calls one method of the connection or of a statement */
export function sendTogether(
  connection: CoreConnection,
  starts: readonly ((done: Done) => void)[],
): Promise<PromiseSettledResult<unknown>[]> {
  const commands: Command[] = [];
  const { addCommand } = connection;
  connection.addCommand = (command) => {
    commands.push(command);
    return command;
  };
  let answers: Promise<unknown>[];
  try {
    answers = starts.map(
      (start) =>
        new Promise((resolve, reject) =>
          start((error, result) => (error === null || error === undefined ? resolve(result) : reject(error))),
        ),
    );
  } finally {
    connection.addCommand = addCommand;
  }
  connection.addCommand(inOneWrite(commands));
  return Promise.allSettled(answers);
}

/** One command for the connection, which begins all of its parts and gives each the packets of its answer. */
function inOneWrite(parts: readonly Command[]): Command {
  let at = -1;
  const open: Command[] = [];
  return {
    execute(packet, connection) {
      if (at < 0) {
        at = 0;
        connection.stream.cork();
        // One that is over at once, as a statement that is prepared already, has no answer.
        for (const part of parts) if (!part.execute(undefined, connection)) open.push(part);
        connection.stream.uncork();
      } else if (open[at]?.execute(packet, connection)) at += 1;
      else return false;
      // Each answer counts its packets from 1.
      connection.sequenceId = 1;
      return at === open.length;
    },
    onResult(error) {
      for (const part of at < 0 ? parts : open.slice(at)) part.onResult?.(error);
    },
  };
}

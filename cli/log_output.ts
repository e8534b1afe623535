/**
 * Prints the log: the lines of one turn of the event loop in one call of the system, which costs more than they do.
 * What a process prints last is printed before it exits, whatever ends it but SIGKILL.
 */

/** @param print takes one or more finished lines, and has written them when it returns */
export function logOutput(print: (text: string) => void): { write(line: string): void } {
  let lines = "";
  const flush = () => {
    const text = lines;
    lines = "";
    if (text !== "") print(text);
  };
  process.on("exit", flush);
  return {
    write(line) {
      if (lines === "") setImmediate(flush);
      lines += line;
    },
  };
}

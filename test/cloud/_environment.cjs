/**
 * An execution environment as Lambda has them: loads a handler from a folder, serves one event after another, and is frozen between
 * an answer and the next event. Events come on descriptor 4, answers go out on 3.
 */
const { readSync, writeSync } = require("node:fs");
const { join, relative } = require("node:path");

const [folder, path] = process.argv.slice(2);
const moment = new Int32Array(new SharedArrayBuffer(4));

/** Runs a call on a descriptor that may not be ready, without letting anything else run. */
function insist(call) {
  for (;;)
    try {
      return call();
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(moment, 0, 0, 2);
    }
}

function say(message) {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < bytes.length; ) at += insist(() => writeSync(3, bytes, at));
}

let text = "";
const chunk = Buffer.alloc(65_536);

/** The next event. The whole process stands still until it is there. */
function hear() {
  while (!text.includes("\n")) {
    const count = insist(() => readSync(4, chunk));
    if (count === 0) process.exit(0);
    text += chunk.toString("latin1", 0, count);
  }
  const line = text.slice(0, text.indexOf("\n"));
  text = text.slice(line.length + 1);
  return JSON.parse(Buffer.from(line, "latin1").toString());
}

/** Work that would go on after the answer: timers, look-ups, opening connections, unfinished writes. Idle sockets stay. */
const pending = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => !["PipeWrap", "TCPSocketWrap", "TLSWrap", "TTYWrap"].includes(name));

function serve() {
  handler(hear(), {})
    .then(
      (answer) => say({ answer, pending: pending() }),
      (error) => say({ error: { name: error?.name, message: String(error?.message) }, pending: pending() }),
    )
    .then(serve);
}

const startedAt = performance.now();
const { handler } = require(join(folder, path));
const loadMs = performance.now() - startedAt;
const files = Object.keys(require.cache).filter((file) => file !== __filename);
say({ loaded: files.map((file) => relative(folder, file)), loadMs });
serve();

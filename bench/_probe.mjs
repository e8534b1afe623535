// Loaded into a contender by NODE_OPTIONS: tells who connects to its socket its memory after a collection.
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

const server = createServer(async (socket) => {
  // What the first collection finds free is given back by the next.
  for (let nth = 0; nth < 3; nth++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { rss, heapUsed } = process.memoryUsage();
  socket.end(JSON.stringify({ rssBytes: rss, heapBytes: heapUsed }));
});
server.on("error", () => {});
server.listen(join(tmpdir(), `orderbell-probe-${process.pid}`));
server.unref();

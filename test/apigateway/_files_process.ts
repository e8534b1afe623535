/** The local store as a process of its own, whose memory can be measured: node --import tsx test/apigateway/_files_process.ts <folder>. Prints its port. */
import { randomBytes } from "node:crypto";
import { localFileStore } from "../../apigateway/local/file_store.ts";
import { startServer } from "../../apigateway/local/server.ts";
import { makeLog } from "../../shared/log.ts";

const [folder = ""] = process.argv.slice(2);
const log = makeLog("info", Date.now, (line) => void process.stderr.write(line));
const local = localFileStore({
  folder,
  signingKey: Buffer.alloc(32, 7).toString("base64"),
  now: Date.now,
  fileTime: Date.now,
  secret: (bytes) => randomBytes(bytes).toString("base64url"),
  log,
});
const server = await startServer({
  routes: {
    functions: new Map(),
    http: [],
    websocket: new Map(),
    hasSocket: false,
    schedules: [],
    cors: undefined,
    parts: new Map(),
  },
  call: async () => undefined,
  store: local.serve,
  log,
  host: "127.0.0.1",
  port: 0,
  healthy: async () => true,
  trustedProxies: [],
});
process.stdout.write(`${server.port}\n`);

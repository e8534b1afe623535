/** A contender: the local store of files alone, with the server that it has in a machine. */
import { randomBytes } from "node:crypto";
import { localFileStore } from "../apigateway/local/file_store.ts";
import { startServer } from "../apigateway/local/server.ts";
import { makeLog } from "../shared/log.ts";

const [, folder = "", signingKey = ""] = process.argv.slice(2);
const log = makeLog("info", Date.now, (line) => void process.stderr.write(line));
const secret = (bytes: number) => randomBytes(bytes).toString("base64url");
const store = localFileStore({ folder, signingKey, now: Date.now, fileTime: Date.now, secret, log }).serve;
const server = await startServer({
  routes: {
    ...{ functions: new Map(), http: [], websocket: new Map(), hasSocket: false },
    ...{ schedules: [], cors: undefined, parts: new Map() },
  },
  call: async () => undefined,
  ...{ store, log, host: "127.0.0.1", port: 0, healthy: async () => true, trustedProxies: [] },
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);

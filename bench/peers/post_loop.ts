/** Peer: posts one message to each of many connections, fifty at once, and does no more. */
import { Agent, request } from "node:http";

const [, url = "", count = "0"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 50 });
const body = "x".repeat(300);
const headers = { "content-length": body.length };

const post = (id: string) =>
  new Promise<void>((resolve) => {
    const call = request(
      `${url}/@connections/${encodeURIComponent(id)}`,
      { agent, method: "POST", headers },
      (answer) => answer.resume().on("end", resolve),
    );
    call.end(body);
  });

process.stdout.write('{"port":0}\n');
let next = 0;
await Promise.all(
  Array.from({ length: 50 }, async () => {
    while (next < Number(count)) await post(`${String(next++).padStart(15, "A")}=`);
  }),
);

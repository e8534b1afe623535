/** The local gateway with a certificate of its own. */
import { get } from "node:https";
import { connect } from "node:tls";
import { newCertificate } from "../_certificate.ts";
import { dial, ended, enter, openServer, parse, type TestServer } from "./_server.ts";

let server: TestServer;
let ca: string;
beforeAll(async () => {
  const { key, cert } = await newCertificate();
  ca = cert;
  server = await openServer({ tls: { key, cert }, limits: { headersMs: 300 } });
});
afterAll(() => server.stop());

it("the local gateway serves https", async () => {
  const answer = await new Promise((resolve, reject) =>
    get(`${server.url}/pets`, { ca, agent: false }, ({ statusCode, headers }) =>
      resolve([statusCode, headers["strict-transport-security"], headers["x-content-type-options"]]),
    ).on("error", reject),
  );
  expect(answer).toEqual([200, "max-age=31536000", "nosniff"]);
  expect((await server.called("pets")).requestContext.http.sourceIp).toBe("127.0.0.1");
});

it("the local gateway serves wss", async () => {
  const client = await enter(server.ws, [], { ca });
  client.socket.send("hello");
  const { body, requestContext } = await server.called("say");
  expect(body).toBe("hello");
  expect(server.connections.send(requestContext.connectionId, "welcome")).toBe("sent");
  expect(await client.next()).toBe("welcome");
  client.socket.close();
  await server.called("leave");
});

it("the local gateway limits frames inside the encryption", async () => {
  const client = await enter(server.ws, [], { ca });
  client.socket.send("x".repeat(33 * 1_024));
  expect((await client.closed).code).toBe(1009);
});

it("the local gateway ignores the offer of another protocol over TLS", async () => {
  const socket = connect({ host: "127.0.0.1", port: server.port, ca });
  const answer = ended(socket);
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  socket.write("GET /pets HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  socket.write("GET /pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const text = await answer;
  expect(parse(text).status).toBe(200);
  expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
});

it("the local gateway closes a connection that does not speak TLS, or not in time", async () => {
  const plain = await dial(server.port);
  const silent = await dial(server.port);
  plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await ended(plain)).not.toContain("200");
  await ended(silent);
  expect(server.lines).toEqual([]);
});

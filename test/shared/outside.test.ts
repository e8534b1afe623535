/** Answers from other servers: bounded in size and time, without redirects. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { awsPusher } from "../../apigateway/aws.ts";
import { tencentPusher } from "../../apigateway/tencent.ts";
import { awsCaller } from "../../cloud/aws_call.ts";
import { wechatClient } from "../../functions/_wechat_client.ts";
import { makeWechat } from "../../shared/wechat.ts";

const session = JSON.stringify({ openid: "o", session_key: "MDEyMzQ1Njc4OTAxMjM0NQ==" });
const megabyte = Buffer.alloc(1_048_576, 32);

/** Goes on writing while the other side reads. */
function endless(response: ServerResponse, begin: string): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.write(begin);
  const more = () => {
    while (!response.destroyed && response.write(megabyte));
  };
  response.on("drain", more);
  more();
}

/** A byte now and then: never silent, never done. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 20);
  response.once("close", () => clearInterval(timer));
}

const ways: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  "without end": (_, response) => endless(response, session.slice(0, -1)),
  "without end, said to be short": (_, response) => {
    response.setHeader("x-note", "no content-length");
    endless(response, "{");
  },
  "packed small and large unpacked": (_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(gzipSync(Buffer.concat([megabyte, megabyte, Buffer.from(session)])));
  },
  "by another address": (request, response) => {
    if (request.url === "/elsewhere") return void response.end(session);
    response.writeHead(307, { location: "/elsewhere" }).end();
  },
  "drop by drop": (_, response) => drip(response),
};

describe.each(Object.keys(ways))("an answer %s", (way) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    request.resume();
    ways[way]?.(request, response);
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const timeoutMs = way === "drop by drop" ? 1_000 : 20_000;
  const keys = { region: "us-east-1", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret" };
  const callers: Readonly<Record<string, () => Promise<unknown>>> = {
    WeChat: () => makeWechat(wechatClient(url, timeoutMs)).codeToSession({ appid: "wx1", secret: "s" }, "c"),
    AWS: () =>
      awsCaller({ region: keys.region, credentials: keys, urlSuffix: "amazonaws.com", endpointUrl: url, timeoutMs })(
        "ssm",
        "/",
        {},
        "{}",
      ),
    "AWS's push": () => awsPusher({ ...keys, timeoutMs }).post(url, "c", "frame"),
    "Tencent's push": () => tencentPusher(url, timeoutMs).post("", "c", "frame"),
  };

  it("is refused by every caller", async () => {
    const failures = await Promise.all(
      Object.entries(callers).map(async ([name, call]) => [name, await call().then(() => "none", nameOf)] as const),
    );
    const known = ["AnswerTooLarge", "AwsRefused", "PushRefused", "WechatAway", "TimeoutError"];
    for (const [name, failure] of failures)
      expect([name, known.includes(failure), failure]).toEqual([name, true, failure]);
    // No redirect was followed.
    expect(asked).not.toContain("/elsewhere");
  });
});

const nameOf = (error: Error) => error.name;

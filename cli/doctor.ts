/** `npx orderbell doctor --stage X`: checks what a deployment cannot, and says what to do. Changes nothing but a guest's session. */
import { WebSocket } from "ws";
import { systemClock } from "../functions/_app.ts";
import type { ListedCollection } from "../shared/live/export_documents.ts";
import { askStage, awsFor, serviceName } from "./stage.ts";
import type { StageOptions } from "./stage_options.ts";

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** What was found; and, if it is not ok, what to do. */
  readonly detail: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The answer of `admin` about the database. */
interface DatabaseHealth {
  readonly engine: string;
  readonly tls: boolean;
  readonly now: number;
  readonly databaseNow: number;
  /** Null where the tables are those of an older release, absent where the functions are. */
  readonly collections?: readonly ListedCollection[] | null;
  /** `ok`, or what is wrong with the storage of files; null where there is none, absent where the functions are older. */
  readonly files?: string | null;
}

const timeoutMs = 15_000;
/** Signatures, tickets and business days tolerate this much. */
const maxSkewMs = 5_000;
/** The limit of a new account; two customers who open a page at once reach it. */
const newAccount = 10;

/** @returns a finding for each check, the most important first */
export async function diagnose(stageOptions: StageOptions, environment: Environment): Promise<Finding[]> {
  const { call, region } = awsFor(stageOptions, environment, timeoutMs);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const outputs = await check("stack", async () =>
    outputsOf((await call("cloudformation", "/", form, describe(stageOptions))).text),
  );
  const address = outputs.value?.HttpAddress;

  return [
    (
      await check("functions at once", async () => {
        const limit = Number(
          JSON.parse((await call("lambda", "/2016-08-19/account-settings/", {})).text).AccountLimit
            ?.ConcurrentExecutions,
        );
        return limit > newAccount
          ? good(`${limit} in ${region}`)
          : bad(
              `${limit} in ${region}: two customers who open a page at once reach it. Service Quotas, Lambda, concurrent executions: ask for 1,000`,
            );
      })
    ).finding,
    (
      await check("the sockets' log", async () => {
        const role = JSON.parse((await call("apigateway", "/account", {})).text).cloudwatchRoleArn;
        return role
          ? good("the account has a role for it")
          : bad("the account has no role for it: deploy with --param socketLog=yes to make one, or do without");
      })
    ).finding,
    ...(await diagnoseDatabase(stageOptions, environment)),
    outputs.finding,
    ...(address === undefined ? [] : await diagnoseAddress(address)),
  ];
}

async function diagnoseDatabase(stageOptions: StageOptions, environment: Environment): Promise<Finding[]> {
  const asked = await check("database", async () => {
    const answer = (await askStage(stageOptions, "admin", { command: "doctor", args: {} }, environment)) as
      | { ok: DatabaseHealth }
      | { error: { code: string; message: string } };
    if ("error" in answer) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    return { ...good(`${answer.ok.engine} answers`), value: answer.ok };
  });
  if (asked.value === undefined) return [asked.finding];
  const { tls, now, databaseNow, collections, files } = asked.value;
  const skewMs = Math.abs(now - databaseNow);
  return [
    asked.finding,
    {
      what: "the database's TLS",
      ok: tls,
      detail: tls
        ? "the connection is encrypted"
        : "names, addresses and the password travel in the clear: docs/databases.md, TLS",
    },
    clock("the database's clock", skewMs, "set the database server's clock (NTP)"),
    ...(collections === undefined ? [] : [collectionsFinding(collections, stageOptions)]),
    ...(typeof files === "string" ? [filesFinding(files)] : []),
  ];
}

const filesFinding = (files: string): Finding => ({
  what: "the storage of files",
  ok: files === "ok",
  detail: files === "ok" ? "it takes, keeps and shows what is uploaded" : `${files}: docs/files.md, Where files lie`,
});

/** What is declared, what is not indexed yet, and what declarations before have left. */
function collectionsFinding(collections: readonly ListedCollection[] | null, { stage }: StageOptions): Finding {
  const what = "collections";
  const mend = `npx orderbell init-db --stage ${stage}`;
  if (collections === null) return { what, ...bad(`the tables are those of an older release: ${mend}`) };
  const declared = collections.filter(({ permission }) => permission !== null);
  const old = collections.filter(({ permission }) => permission === null).map(({ collection }) => collection);
  const notIndexed = collections.flatMap(({ collection, notIndexed: fields }) =>
    fields.map((field) => `${field} of ${collection}`),
  );
  if (notIndexed.length > 0) return { what, ...bad(`not indexed yet: ${notIndexed.join(", ")}; ${mend}`) };
  const documents = collections.reduce((sum, one) => sum + one.documents, 0);
  return {
    what,
    ...good(
      `${declared.length} declared, ${documents} documents${old.length === 0 ? "" : `; nobody reaches those of ${old.join(", ")}`}`,
    ),
  };
}

const clock = (what: string, skewMs: number, remedy: string): Finding => ({
  what,
  ok: skewMs <= maxSkewMs,
  detail: `${(skewMs / 1_000).toFixed(1)} s apart${skewMs <= maxSkewMs ? "" : `: ${remedy}`}`,
});

/** Does what a customer's page does first: a session, a ticket, a socket, and waits for a push on it. */
async function diagnoseAddress(address: string): Promise<Finding[]> {
  const post = async <T>(path: string, token?: string): Promise<{ answer: Response; body: T }> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(address + path, { method: "POST", headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}`);
    return { answer, body: (await answer.json()) as T };
  };
  const entered = await check("pages and HTTP", async () => {
    const { answer, body } = await post<{ session: { token: string }; user: { id: string } }>("/login/guest");
    return {
      ...good(address),
      value: { token: body.session.token, user: body.user.id, at: Date.parse(answer.headers.get("date") ?? "") },
    };
  });
  const session = entered.value;
  if (session === undefined) return [entered.finding];
  const pushed = await check("the socket", async () => {
    const { body } = await post<{ ticket: string; socket: string }>("/session/ticket", session.token);
    await awaitPush(body.socket, body.ticket, `user:${session.user}`);
    return good(`${body.socket} opens, and what is pushed arrives`);
  });
  await fetch(`${address}/session`, { method: "DELETE", headers: { authorization: `Bearer ${session.token}` } }).catch(
    () => {},
  );
  return [
    entered.finding,
    ...(Number.isNaN(session.at)
      ? []
      : [
          clock(
            "this machine's clock",
            Math.abs(systemClock.now() - session.at),
            "set the clock of this machine, or AWS refuses its signatures",
          ),
        ]),
    pushed.finding,
  ];
}

/** Every answer on a socket of the cloud is a push. @throws Error that says where to look */
function awaitPush(url: string, ticket: string, stream: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ["orderbell.v1", `ticket.${ticket}`], { handshakeTimeout: timeoutMs });
    const fail = (reason: string) => {
      clearTimeout(timer);
      socket.terminate();
      reject(new Error(reason));
    };
    const timer = setTimeout(
      () => fail("it opens, and nothing is pushed: the function ws_transmit says why (`push.failed` in its log)"),
      timeoutMs,
    );
    socket.on("open", () => socket.send(JSON.stringify({ type: "resume", n: 1, streams: [{ stream }] })));
    socket.on("error", ({ message }) => fail(`${url} does not open: ${message}`));
    socket.on("message", () => {
      clearTimeout(timer);
      socket.close();
      resolve();
    });
  });
}

interface Checked<T> {
  readonly finding: Finding;
  readonly value?: T;
}
const good = (detail: string) => ({ ok: true, detail });
const bad = (detail: string) => ({ ok: false, detail });

/** A check that throws is a finding as well. */
async function check<T>(
  what: string,
  work: () => Promise<{ ok: boolean; detail: string; value?: T }>,
): Promise<Checked<T>> {
  try {
    const { ok, detail, value } = await work();
    return { finding: { what, ok, detail }, ...(value === undefined ? {} : { value }) };
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    return { finding: { what, ok: false, detail: [message, cause?.code].filter(Boolean).join(" ") } };
  }
}

const describe = ({ stage }: StageOptions) =>
  new URLSearchParams({
    Action: "DescribeStacks",
    Version: "2010-05-15",
    StackName: `${serviceName()}-${stage}`,
  }).toString();

function outputsOf(xml: string) {
  const value = Object.fromEntries(
    [...xml.matchAll(/<OutputKey>([^<]*)<\/OutputKey>\s*<OutputValue>([^<]*)<\/OutputValue>/g)].map(
      ([, key = "", text = ""]) => [key, text],
    ),
  );
  return value.HttpAddress === undefined
    ? { ...bad("the stack has no addresses: deploy it once more") }
    : { ...good("deployed"), value };
}

export const formatFindings = (findings: readonly Finding[]): string =>
  findings.map(({ what, ok, detail }) => `${ok ? "ok  " : "BAD "} ${what}: ${detail}\n`).join("");

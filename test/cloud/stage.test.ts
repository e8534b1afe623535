/** `npx orderbell … --stage`: the caller's credentials, a stand-in for Lambda's invoke, and the printed answers. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../cli/main.ts";
import { operator } from "../../cli/operator.ts";
import { splitStageOptions } from "../../cli/stage_options.ts";
import { NoCredentials, readAwsIdentity as read } from "../../cloud/credentials.ts";
import { readCallerConfig } from "../../shared/config.ts";
import { type Aws, type AwsOptions, startAws } from "./_aws.ts";
import { service } from "./_package.ts";

const readIdentity = (environment: Record<string, string>, profile?: string) =>
  read(readCallerConfig(environment), profile);
const keys = { AWS_ACCESS_KEY_ID: "AKIDCALLER", AWS_SECRET_ACCESS_KEY: "secret" };

describe("credentials", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "orderbell-home-"));
    mkdirSync(join(home, ".aws"));
    const process = join(home, "give.sh");
    writeFileSync(
      process,
      `#!/bin/sh\necho '{"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"p","SessionToken":"t"}'\n`,
    );
    chmodSync(process, 0o700);
    writeFileSync(
      join(home, ".aws/config"),
      `[default]\nregion = eu-west-1\n[profile shop]\nregion=ap-southeast-1\ns3 =\n  max_queue_size = 1000\n[profile tool]\ncredential_process = ${process}\n[profile broken]\ncredential_process = echo nothing\n[profile sso]\nsso_session = ours\n`,
    );
    writeFileSync(
      join(home, ".aws/credentials"),
      "# ours\n[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = d\n\n[shop]\naws_access_key_id=AKIDSHOP\naws_secret_access_key=s=x/+\naws_session_token=st\n",
    );
  });
  afterAll(() => rmSync(home, { recursive: true }));

  it("are the environment's, unless a profile is named", () => {
    expect(readIdentity({ ...keys, HOME: home })).toEqual({
      credentials: { accessKeyId: "AKIDCALLER", secretAccessKey: "secret", sessionToken: undefined },
      region: undefined,
    });
    expect(readIdentity({ ...keys, HOME: home }, "shop").credentials.accessKeyId).toBe("AKIDSHOP");
  });

  it("come from the files of ~/.aws", () => {
    expect(readIdentity({ HOME: home })).toEqual({
      credentials: { accessKeyId: "AKIDDEFAULT", secretAccessKey: "d", sessionToken: undefined },
      region: "eu-west-1",
    });
    expect(readIdentity({ HOME: home, AWS_PROFILE: "shop" })).toEqual({
      credentials: { accessKeyId: "AKIDSHOP", secretAccessKey: "s=x/+", sessionToken: "st" },
      region: "ap-southeast-1",
    });
    expect(readIdentity({ HOME: home }, "tool").credentials).toEqual({
      accessKeyId: "AKIDPROCESS",
      secretAccessKey: "p",
      sessionToken: "t",
    });
  });

  it.each([
    ["nobody", /AWS_ACCESS_KEY_ID/],
    ["sso", /export-credentials --profile sso/],
    ["broken", /credential_process gave no credentials/],
  ])("of profile %s are missed with a word that helps", (profile, word) => {
    expect(() => readIdentity({ HOME: home }, profile)).toThrow(NoCredentials);
    expect(() => readIdentity({ HOME: home }, profile)).toThrow(word);
  });
});

describe("orderbell --stage", () => {
  let aws: Aws;
  let answer: (name: string, event: unknown) => Promise<unknown>;
  let logs: NonNullable<AwsOptions["logs"]> = () => undefined;
  let out = "";
  let err = "";
  beforeAll(async () => {
    aws = await startAws({
      invoke: (name, event) => answer(name, event),
      allows: (caller, action) => caller !== "nobody" && (caller !== "no logs" || !action.startsWith("logs:")),
      logs: (group, asked) => logs(group, asked),
    });
  });
  afterAll(() => aws.close());
  beforeEach(() => {
    out = err = "";
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += text;
      return true;
    });
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
      err += text;
      return true;
    });
  });
  afterEach(() => void jest.restoreAllMocks());
  const run = (words: string, more: Record<string, string> = {}) =>
    main(words.split(" "), { ...keys, AWS_ENDPOINT_URL: aws.url, ...more });

  it("invokes the stage's own admin function and prints its answer", async () => {
    const events: unknown[] = [];
    answer = async (name, event) => {
      events.push([name, event]);
      return { ok: { shops: [] } };
    };
    expect(await run("shop list --stage prod")).toBe(0);
    expect(events).toEqual([[`${service}-prod-admin`, { command: "shop.list", args: {}, by: operator() }]]);
    expect(JSON.parse(out)).toEqual({ shops: [] });
  });

  it("prints an error as on this machine", async () => {
    answer = async () => ({ error: { code: "SHOP_UNKNOWN", message: 'there is no shop "x"' } });
    expect(await run("shop open x --stage=prod")).toBe(1);
    expect(err).toBe('SHOP_UNKNOWN: there is no shop "x"\n');
  });

  it("exports in as many calls as there are pages, and remarks that the collection changed meanwhile", async () => {
    const asked: unknown[] = [];
    answer = async (_, event) => {
      const { args } = event as { args: { after?: string } };
      asked.push(args.after);
      const isFirst = args.after === undefined;
      return {
        ok: { documents: [{ _id: isFirst ? "a" : "b" }], next: isFirst ? "a" : null, position: isFirst ? 1 : 2 },
      };
    };
    expect(await run("collections export notes --stage prod")).toBe(0);
    expect([asked, out]).toEqual([[undefined, "a"], '{"_id":"a"}\n{"_id":"b"}\n']);
    expect(err).toMatch(/^the collection was written to meanwhile: /);
  });

  it("imports in portions, and gives up what was staged when one is refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orderbell-import-"));
    const path = join(folder, "notes.jsonl");
    writeFileSync(path, "{}\n".repeat(250));
    const steps: unknown[] = [];
    answer = async (_, event) => {
      const { args } = event as { args: { step: string; import?: string; from?: number; lines?: string[] } };
      steps.push([args.step, args.import, args.from, args.lines?.length]);
      return args.from === 201
        ? { error: { code: "INVALID_INPUT", message: "x", errors: ["line 250: x", "line 251: y"] } }
        : { ok: { import: "01M8K9B4DPYQD4P47RYVG34VDS" } };
    };
    const id = "01M8K9B4DPYQD4P47RYVG34VDS";
    expect(await run(`collections import notes ${path} --stage prod`)).toBe(1);
    rmSync(folder, { recursive: true });
    expect(err).toBe("line 250: x\nline 251: y\n");
    expect(steps).toEqual([
      ["add", undefined, 1, 200],
      ["add", id, 201, 50],
      ["abort", id, undefined, undefined],
    ]);
  });

  it("migrates a stage by hand", async () => {
    answer = async (name) => {
      expect(name).toBe(`${service}-test-init_db`);
      return { applied: [1, 2] };
    };
    expect(await run("init-db --stage test --region eu-west-1")).toBe(0);
    expect(out).toBe("applied: 1, 2\n");
  });

  it("says that the function failed, and where its log is", async () => {
    answer = async () => {
      throw new Error("private");
    };
    expect(await run("shop list --stage prod")).toBe(2);
    expect(err).toContain(`${service}-prod-admin failed; its log says why`);
    expect(err).not.toContain("private");
  });

  it("names a missing right, and a command that no stage has", async () => {
    expect(await run("shop list --stage prod", { AWS_SESSION_TOKEN: "nobody" })).toBe(2);
    expect(err).toMatch(/AccessDenied/);
    err = "";
    expect(await run("start --stage prod")).toBe(2);
    expect(err).toMatch(/not for a stage/);
  });

  describe("why", () => {
    const at = "2026-11-29T04:31:00.100Z";
    const id = "01M8K9B4DPYQD4P47RYVG34VDS";
    const order = { id, shop: "my-shop", number: "A001", day: "2026-11-29", service: "pickup", status: "placed" };
    const step = { action: "place", from: null, to: "placed", actor: "customer", session: "s", at };
    const facts = {
      order: { ...order, placedAt: at, escalateAt: at, session: "s", user: "u" },
      steps: [step],
      events: [{ stream: "shop:my-shop", seq: 7, type: "order.placed", at }],
      devices: {},
      eventsSince: "2026-11-27T00:00:00.000Z",
      now: at,
    };
    const line = (event: string, more: object) => ({ message: JSON.stringify({ at, level: "info", event, ...more }) });

    it("joins the log groups of the stage's functions, page by page", async () => {
      answer = async () => ({ ok: facts });
      const asked: string[] = [];
      logs = (group, { filterPattern, nextToken }) => {
        asked.push(filterPattern);
        if (group !== `/aws/lambda/${service}-prod-bill`) return undefined;
        const request = { route: "POST /bill", status: 201, ms: 9, order: id, session: "s", requestId: "r" };
        return nextToken === undefined
          ? { events: [line("request", request), { message: "REPORT RequestId: …" }], nextToken: "more" }
          : { events: [line("push", { stream: "shop:my-shop", seq: 7, readers: 2, sent: 1, gone: 1 })] };
      };
      expect(await run(`why ${id} --stage prod`)).toBe(0);
      expect(out).toMatch(/ database {2}stored as A001 of 2026-11-29, pickup\n/);
      expect(out).toMatch(/ database {2}order\.placed is event kitchen #7\n/);
      expect(out).toMatch(/ log {7}POST \/bill by the customer: 201 after 9 ms; request r\n/);
      expect(out).toMatch(/ log {7}pushed kitchen #7 to 1 of 2 readers, 1 gone\n/);
      expect(asked[0]).toContain(`?"${id}" ?"\\"shop:my-shop\\""`);
    });

    it("says which log may not be read", async () => {
      answer = async () => ({ ok: facts });
      expect(await run(`why ${id} --stage prod`, { AWS_SESSION_TOKEN: "no logs" })).toBe(0);
      expect(out).toMatch(/no log is kept here \(CloudWatch in us-east-1, stage "prod", without bill: AccessDenied/);
    });
  });

  it("says that there is no such stage", async () => {
    const empty = await startAws({});
    expect(await run("shop list --stage nowhere", { AWS_ENDPOINT_URL: empty.url })).toBe(2);
    expect(err).toMatch(/no stage "nowhere" in us-east-1/);
    await empty.close();
  });
});

it("the options of a stage are taken out of the command's arguments", () => {
  expect(splitStageOptions(["pair", "--stage", "prod", "noodles", "--role=owner", "--region=eu-west-1"])).toEqual({
    stageOptions: { stage: "prod", region: "eu-west-1", profile: undefined },
    rest: ["pair", "noodles", "--role=owner"],
  });
  expect(splitStageOptions(["shop", "list"]).stageOptions).toBeUndefined();
  expect(() => splitStageOptions(["shop", "list", "--stage"])).toThrow(/needs a value/);
  expect(() => splitStageOptions(["shop", "list", "--region", "eu-west-1"])).toThrow(/go with --stage/);
});

/** Checks before a deployment: parameters, the stage's remembered parameters, the account. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Account, openAccount } from "../../scripts/aws_account.ts";
import { askDatabase, authorityFile, caPath, checkAddress, databaseVariables } from "../../scripts/database_address.ts";
import { DeploymentError } from "../../scripts/deployment_error.ts";
import { compareParameters, recordParameters } from "../../scripts/last_parameters.ts";
import { type Given, readParameters } from "../../scripts/parameters.ts";
import { cleanUp, prepareDeployment } from "../../scripts/prepare_deployment.ts";
import type { Template } from "../../scripts/resolve_conditions.ts";
import { newAuthority } from "../_certificate.ts";
import { defaultParameters, parametersWith } from "../cloud/_house.ts";

const faultOf = (changed: Readonly<Record<string, unknown>>, more: Partial<Given> = {}) => {
  try {
    readParameters({
      values: { ...defaultParameters(), ...changed },
      named: [],
      stage: "prod",
      functions: [],
      ...more,
    });
  } catch (error) {
    expect(error).toBeInstanceOf(DeploymentError);
    return (error as Error).message;
  }
  return undefined;
};

describe("parameters", () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ socketDomain: "socket.example.com" }, /domain and socketDomain go together/],
    [{ domain: "shop.example.com" }, /domain and socketDomain go together/],
    [{ domain: "a.example.com", socketDomain: "a.example.com" }, /are the same/],
    [{ domain: "https://shop.example.com", socketDomain: "s.example.com" }, /domain .*without https/],
    [{ zone: "Z0123456789" }, /zone is for domain/],
    [{ settings: "ROOMS" }, /settings holds NAME=value/],
    [{ settings: "ROMS=off" }, /settings: the functions know no ROMS/],
    [{ settings: "ROOMS=nobody" }, /settings: environment variable ROOMS must be one of off/],
    [{ settings: "ROOMS=off,SESSION_DAYS=0" }, /SESSION_DAYS must be an integer from 1 to 365/],
    [{ settings: "DATABASE_URL=postgres://elsewhere" }, /settings: DATABASE_URL is the deployment's own/],
    [{ settings: "PORT=80" }, /settings: the functions know no PORT/],
    [{ origins: "https://a.example/path" }, /origins/],
    [{ origins: "*,https://a.example" }, /alone/],
    [{ minAcu: 8, maxAcu: 2 }, /minAcu 8 is above maxAcu 2/],
    [{ maxAcu: 0.7 }, /halves/],
    [{ reserve: "ten" }, /reserve is no number, and not "ten"/],
    [{ rate: "fast" }, /rate is no number/],
    [{ logDays: 31 }, /logDays is one of/],
    [{ protect: "true" }, /protect is one of yes, no/],
    [{ alarmMail: "a@example.com,b@example.com" }, /alarmMail/],
    [{ database: "oracle" }, /database is one of url, aurora-postgres, aurora-mysql/],
    [{ vpcSubnets: "subnet-0a" }, /go together/],
    [{ databaseTls: "no" }, /databaseTls is one of/],
    [{ databasePooler: "statement" }, /databasePooler is one of/],
    [{ databaseTls: "off", database: "aurora-postgres" }, /for a database of one's own/],
    [{ vpcSubnets: "subnet-0a", vpcSecurityGroups: "sg-0a", database: "aurora-mysql" }, /gets a network/],
  ])("%j are refused with a sentence", (changed, sentence) => {
    expect(faultOf(changed)).toMatch(sentence);
  });

  it("are reported all at once, unknown names with a suggestion", () => {
    const said = faultOf({ rate: "fast", burst: "many" }, { named: ["databse", "rate", "colour"] });
    for (const line of ["databse; did you mean database?", "there is no parameter colour\n", "rate is", "burst is"])
      expect(said).toContain(line);
  });

  it("are checked for the length of a function's name", () => {
    const functions = [`orderbell-${"s".repeat(50)}-ws_unregister`];
    expect(faultOf({}, { functions })).toMatch(/10 letters too long/);
    expect(faultOf({}, { functions: [`orderbell-${"s".repeat(40)}-ws_unregister`] })).toBeUndefined();
  });

  it("may be lists with blanks, and numbers written as text", () => {
    expect(parametersWith({ origins: "https://a.example, http://127.0.0.1:8080", minAcu: "0.5" })).toMatchObject({
      origins: ["https://a.example", "http://127.0.0.1:8080"],
      minAcu: 0.5,
    });
  });
});

describe("the address of a database", () => {
  const own = "postgres://shop:hush@db.example/shop";

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{}, own, /asks for no TLS.*sslmode=verify-full, or deploy with --param databaseTls=off/],
    [{}, `${own}?sslmode=no-verify`, /asks not to verify/],
    [{}, "postgres://shop:hush@w/#x@db.example/shop", /%40/],
    [{}, "mysql://shop:hush@db.example/shop?ssl-mode=REQUIRED", /not for postgres; --param engine=mysql/],
    [{ engine: "mysql" }, "mysql://shop:hush@db.example/shop?sslmode=on", /"sslmode=on"/],
    [{}, "oracle://shop:hush@db.example/shop", /must start with/],
    [{ databaseCa: "/nowhere.pem" }, `${own}?sslmode=verify-full`, /nowhere\.pem.*ENOENT/],
  ])("is refused with a sentence before anything is built: %j %#", (given, url, sentence) => {
    const checking = () => checkAddress(parametersWith(given), url);
    expect(checking).toThrow(DeploymentError);
    expect(checking).toThrow(sentence);
    expect(checking).not.toThrow(/hush/);
  });

  it("is accepted with verified TLS, or where plain text is allowed explicitly", () => {
    checkAddress(parametersWith(), `${own}?sslmode=require`);
    checkAddress(parametersWith({ databaseTls: "off" }), own);
    checkAddress(parametersWith({ database: "aurora-mysql" }), own);
    checkAddress(parametersWith(), undefined);
  });

  it("is tried from this machine, and a failure is only a warning", async () => {
    const notes = await askDatabase(parametersWith(), "postgres://shop:hush@127.0.0.1:1/shop");
    expect(notes).toEqual([
      expect.stringMatching(/cannot be used from this machine.*nothing listens at 127\.0\.0\.1:1/),
    ]);
    expect(await askDatabase(parametersWith(), undefined)).toEqual([]);
    const here = process.env.ORDERBELL_TEST_POSTGRES;
    if (here) expect(await askDatabase(parametersWith(), here)).toEqual([]);
  });

  it("comes with an authority's file, which functions receive", async () => {
    const folder = await mkdtemp(join(tmpdir(), "orderbell-ca-"));
    const [good, bad] = [join(folder, "good.pem"), join(folder, "bad.pem")];
    const { ca } = await newAuthority();
    await writeFile(good, ca);
    await writeFile(bad, "no certificate");
    expect(Buffer.from(authorityFile(parametersWith({ databaseCa: good }))[caPath] as Uint8Array).toString()).toBe(ca);
    expect(() => authorityFile(parametersWith({ databaseCa: bad }))).toThrow(/holds no certificate/);
    expect(() => authorityFile(parametersWith({ databaseCa: "/nowhere.pem" }))).toThrow(/ENOENT/);
    expect(authorityFile(parametersWith())).toEqual({});
    expect(databaseVariables(parametersWith())).toEqual({});
    const told = { databaseTls: "off", databasePooler: "transaction", databaseCa: good };
    expect(databaseVariables(parametersWith(told))).toEqual({
      DATABASE_TLS: "off",
      DATABASE_POOLER: "transaction",
      DATABASE_CA: "/var/task/database_ca.pem",
    });
    await rm(folder, { recursive: true });
  });
});

describe("a stage's remembered parameters", () => {
  const outputsOf = (given: Record<string, unknown>): Record<string, string> => {
    const template: Template = { Resources: {} };
    recordParameters(template, parametersWith(given));
    return { Parameters: String(template.Outputs?.Parameters?.Value) };
  };

  it.each([
    [{ database: "aurora-postgres" }, {}],
    [{ database: "aurora-postgres" }, { database: "aurora-mysql" }],
    [{}, { engine: "mysql" }],
  ])("keep the database of %j from %j, unless it is given", (before, now) => {
    const outputs = outputsOf(before);
    expect(() => compareParameters(outputs, parametersWith(now))).toThrow(/replaceDatabase=yes/);
    expect(compareParameters(outputs, parametersWith({ ...now, replaceDatabase: "yes" })).length).toBeGreaterThan(0);
  });

  it("report what else has changed, and no address of a person", () => {
    const outputs = outputsOf({ rate: 3_000, alarmMail: "owner@example.com" });
    expect(outputs.Parameters).not.toContain("owner@");
    expect(compareParameters(outputs, parametersWith())).toEqual(["rate: 3000 → 500"]);
  });

  it("may be missing", () => {
    for (const outputs of [undefined, {}, { Parameters: "{" }])
      expect(compareParameters(outputs, parametersWith({ database: "aurora-mysql" }))).toEqual([]);
  });
});

describe("the AWS account", () => {
  const account = (more: Partial<Account> = {}): Account => ({
    parameter: async () => ({ Value: "postgres://db/shop", Version: 3 }),
    putParameter: async () => 1,
    deleteParameter: async () => true,
    gatewayLogRole: async () => undefined,
    concurrency: async () => 10,
    outputs: async () => undefined,
    ...more,
  });
  const template = (): Template => ({
    Resources: {
      GatewayLogRole: { Type: "AWS::IAM::Role" },
      GatewayAccount: { Type: "AWS::ApiGateway::Account", DependsOn: ["HttpApi"] },
      WebsocketsDeploymentStage: { Type: "AWS::ApiGatewayV2::Stage", DependsOn: ["GatewayAccount"] },
    },
  });
  const deployed = async (given: Partial<Account>, parameters = {}, region = "eu-west-1") => {
    const made = template();
    const place = { service: "orderbell", stage: "prod", stack: "orderbell-prod" };
    const notes = await prepareDeployment(account(given), {
      ...place,
      region,
      url: undefined,
      parameters: parametersWith(parameters),
      template: made,
    });
    return { notes, made };
  };

  it.each<[string, string | undefined, boolean]>([
    ["none", undefined, true],
    ["its own of before", "arn:aws:iam::1:role/orderbell-prod-GatewayLogRole-1A2B", true],
    ["another stage's", "arn:aws:iam::1:role/orderbell-dev-GatewayLogRole-1A2B", false],
    ["somebody else's", "arn:aws:iam::1:role/logs", false],
  ])("whose log role is %s gets one from us or keeps its own", async (_, role, makes) => {
    const { made } = await deployed({ gatewayLogRole: async () => role });
    expect(Object.keys(made.Resources).includes("GatewayAccount")).toBe(makes);
    expect(Object.keys(made.Resources).includes("GatewayLogRole")).toBe(makes);
    expect(made.Resources.WebsocketsDeploymentStage?.DependsOn).toEqual(makes ? ["GatewayAccount"] : undefined);
  });

  it("that may run ten functions at once can reserve none, and the error says what to do", async () => {
    await expect(deployed({}, { reserve: 2 })).rejects.toThrow(/may run 10 at once.*Service Quotas/);
    await expect(deployed({ concurrency: async () => 109 }, { reserve: 2 })).rejects.toThrow(DeploymentError);
    await deployed({ concurrency: async () => 110 }, { reserve: 2 });
  });

  it("in China gets the note about its licence", async () => {
    expect((await deployed({}, {}, "cn-north-1")).notes.join()).toContain("ICP");
    expect((await deployed({})).notes).toEqual([]);
  });

  it("keeps no password of a stage that has gone", async () => {
    const names: string[] = [];
    const deleteParameter = async (name: string) => names.push(name) > 0;
    expect((await cleanUp({ deleteParameter }, { service: "orderbell", stage: "prod" }))[0]).toContain("was removed");
    expect(names).toEqual(["/orderbell/prod/database_url"]);
  });

  it("that cannot be reached is a sentence, and what is not there is no error", async () => {
    const away = openAccount(async () => {
      throw Object.assign(new Error("getaddrinfo ENOTFOUND ssm.example"), { code: "ENOTFOUND" });
    });
    await expect(away.parameter("/x", false)).rejects.toThrow(
      "Parameter Store could not be asked (GetParameter): ENOTFOUND",
    );
    await expect(away.parameter("/x", false)).rejects.toThrow(DeploymentError);
    const empty = openAccount(async () => {
      throw Object.assign(new Error("Stack with id x does not exist"), { name: "ParameterNotFound" });
    });
    expect([await empty.parameter("/x", true), await empty.outputs("x"), await empty.deleteParameter("/x")]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });
});

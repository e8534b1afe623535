/** `serverless deploy` against an account that answers as AWS does: its requests, its output, and the result of a failure. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Template } from "../../scripts/resolve_conditions.ts";
import { type Account, startAccount } from "./_account.ts";
import { builtOnce, newProject, serverless, service } from "./_package.ts";

let account: Account;
let folder: string;

beforeAll(async () => {
  account = await startAccount("us-east-1");
  folder = await newProject();
  await builtOnce({ engine: "postgres", network: false }, join(folder, "built"));
});
afterAll(async () => {
  await account.close();
  await rm(folder, { recursive: true, force: true });
});

const place = `parameter:/${service}/dev/database_url`;

async function run(words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  account.asked.splice(0);
  const owner = { AWS_ACCESS_KEY_ID: "AKIDOWNER", AWS_SECRET_ACCESS_KEY: "secret", SLS_AWS_MONITORING_FREQUENCY: "50" };
  return serverless(folder, words, { ...owner, AWS_ENDPOINT_URL: account.url, ...more });
}

/** The versions of the database's address in the stack's functions and its schema. */
function databases(): string[] {
  const { Resources } = account.template() as Template;
  const found = Object.values(Resources).flatMap(({ Type, Properties = {} }) => {
    const { Environment } = Properties as { Environment?: { Variables?: Record<string, string> } };
    const from = Type === "Custom::Schema" ? Properties.Database : Environment?.Variables?.DATABASE_URL_FROM;
    return typeof from === "string" ? [from] : [];
  });
  expect(found.length).toBeGreaterThan(15);
  return [...new Set(found)];
}

it("serverless deploy names what is missing before it creates anything", async () => {
  const { code, said } = await run(["deploy"]);
  expect(said).toContain("stage dev has no database yet: DATABASE_URL=… npx serverless deploy");
  expect([code, account.template()]).toEqual([1, undefined]);
  // A sentence, without a place in the code.
  expect(said).not.toMatch(/\n\s+at /);
});

it("serverless deploy creates everything on an empty account, and prints what to open", async () => {
  const { code, said } = await run(["deploy"], {
    DATABASE_URL: "postgres://shop:pw-one@one.example/shop?sslmode=require",
  });
  expect([code, said]).toEqual([0, expect.stringContaining(`Service deployed to stack ${service}-dev`)]);
  for (const line of [
    "ordering  value-of-HttpAddress/",
    "kitchen   value-of-HttpAddress/kitchen",
    "socket    value-of-",
    "npx orderbell shop create <id> --en <name> --stage dev",
  ])
    expect(said).toContain(line);
  expect(databases()).toEqual([`${place}:1`]);
  const { Resources } = account.template() as Template;
  const sent = Object.values(Resources).flatMap(({ Type, Properties }) =>
    Type === "AWS::Lambda::Function" ? [(Properties as { Code: { S3Key: string } }).Code.S3Key] : [],
  );
  expect(sent.length).toBeGreaterThan(15);
  for (const key of sent) expect([...account.objects.keys()].some((path) => path.endsWith(key))).toBe(true);
  // Neither the address nor its password went anywhere but to Parameter Store.
  for (const bytes of account.objects.values()) expect(bytes.includes("pw-one")).toBe(false);
  expect(said).not.toContain("pw-one");
});

it("serverless deploy changes nothing when nothing has changed", async () => {
  const { code, said } = await run(["deploy"], {
    DATABASE_URL: "postgres://shop:pw-one@one.example/shop?sslmode=require",
  });
  expect([code, said]).toEqual([0, expect.stringContaining("No changes to deploy")]);
  expect(account.asked).not.toContain("CreateChangeSet");
  expect(account.asked).not.toContain("PutParameter");
});

it("serverless deploy replaces the code of one function", async () => {
  const { code, said } = await run(["deploy", "function", "--function=bill"]);
  expect([code, said]).toEqual([0, expect.stringContaining("Function code deployed")]);
  const [key] = [...account.objects.keys()].filter((path) => path.endsWith("/bill.zip"));
  expect(account.replaced.get(`${service}-dev-bill`)?.equals(account.objects.get(key as string) as Buffer)).toBe(true);
  // Its variables stay as they were deployed.
  expect(databases()).toEqual([`${place}:1`]);
});

it("serverless deploy says why the tables could not be made, and leaves the functions with their database", async () => {
  account.failAt("Schema", "the database cannot be reached: ECONNREFUSED");
  const { code, said } = await run(["deploy"], {
    DATABASE_URL: "postgres://shop:pw-two@two.example/shop?sslmode=require",
  });
  expect([code, said]).toEqual([1, expect.stringContaining("the database cannot be reached: ECONNREFUSED")]);
  expect(databases()).toEqual([`${place}:1`]);
});

it("serverless deploy moves all functions to another database at once, and `rollback` moves them back", async () => {
  const moved = await run(["deploy", "--param=protect=yes"], {
    DATABASE_URL: "postgres://shop:pw-three@three.example/shop?sslmode=require",
  });
  expect([moved.code, moved.said]).toEqual([0, expect.stringContaining("Service deployed")]);
  expect(databases()).toEqual([`${place}:3`]);

  const { said } = await run(["rollback"]);
  const [first] = [...said.matchAll(/Timestamp: (\d+)/g)].map(([, timestamp = ""]) => timestamp);
  const back = await run(["rollback", `--timestamp=${first}`]);
  expect([back.code, back.said]).toEqual([0, expect.stringContaining(`rolled back to timestamp "${first}"`)]);
  expect(databases()).toEqual([`${place}:1`]);
});

it("serverless deploy keeps the stage's database when a parameter was forgotten", async () => {
  const { code, said } = await run(["deploy", "--param=database=aurora-postgres"]);
  expect([code, said]).toEqual([1, expect.stringContaining("This stage stands on database url")]);
  expect(said).toContain("To stay: --param database=url");
  expect(account.asked).not.toContain("CreateChangeSet");
});

it("serverless remove takes nothing while the stage is protected, and the database's password with the stage", async () => {
  const refused = await run(["remove"]);
  expect([refused.code, refused.said]).toEqual([1, expect.stringContaining("deletion protection is enabled")]);
  expect([account.asked.includes("DeleteStack"), account.objects.size > 0]).toEqual([false, true]);

  account.unprotect();
  const removed = await run(["remove"]);
  expect([removed.code, removed.said]).toEqual([0, expect.stringContaining("was removed from Parameter Store")]);
  expect(account.asked).toEqual(expect.arrayContaining(["DeleteStack", "DeleteParameter"]));
});

/** `orderbell doctor --stage` against an account that answers as AWS's, with a whole shop behind its addresses. */
import { main } from "../../cli/main.ts";
import { storeCollection } from "../../db/documents.ts";
import { type AdminEvent, administer } from "../../functions/admin.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { dialectEngines, type Engine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { type Account, type AccountOptions, startAccount } from "./_account.ts";
import { service } from "./_package.ts";

const owner = { AWS_ACCESS_KEY_ID: "AKIDOWNER", AWS_SECRET_ACCESS_KEY: "secret", AWS_REGION: "us-east-1" };

/** @returns the exit code and the lines, by what they are about */
async function doctor(options: AccountOptions): Promise<{ code: number; found: Map<string, string> }> {
  const account: Account = await startAccount("us-east-1", options);
  let out = "";
  const print = jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  try {
    const code = await main(["doctor", "--stage", "prod"], { ...owner, AWS_ENDPOINT_URL: account.url });
    const lines = out.trim().split("\n");
    return {
      code,
      found: new Map(lines.map((line) => [/^(?:ok {2}|BAD )([^:]+)/.exec(line)?.[1]?.trim() ?? "", line])),
    };
  } finally {
    print.mockRestore();
    await account.close();
  }
}

describe.each(dialectEngines)("on $name", (engine: Engine) => {
  const run = engine.here ? it : it.skip;

  run("finds a stage well, but for a database without TLS, and says what each line is about", async () => {
    const { collections } = parseCollections("notes: { permission: PRIVATE, indexes: [done] }");
    const house: House = await openHouse(engine, { config: { collections } });
    const left = { name: "gone", documents: 7, bytes: 70, indexed: "[]", indexing: "[]" };
    await house.db.flight({ statements: storeCollection(house.db.dialect, left) });
    try {
      const { code, found } = await doctor({
        concurrency: 1_000,
        logRole: "arn:aws:iam::1:role/logs",
        stack: { name: `${service}-prod`, outputs: { HttpAddress: house.url } },
        invoke: (_, event) => administer(house.app)(event as AdminEvent),
      });
      const ill = [...found].flatMap(([what, line]) => (line.startsWith("ok") ? [] : [what]));
      expect([ill, code]).toEqual([["the database's TLS"], 1]);
      expect(found.get("functions at once")).toContain("1000 in us-east-1");
      expect(found.get("the socket")).toContain(
        `${house.url.replace("http", "ws")}/pgws opens, and what is pushed arrives`,
      );
      expect(found.get("the storage of files")).toContain("ok   the storage of files: it takes, keeps and shows");
      expect(found.get("collections")).toContain("1 declared, 7 documents; nobody reaches those of gone");
      expect([...found.keys()]).toEqual(
        expect.arrayContaining(["the sockets' log", "the database's clock", "this machine's clock"]),
      );
    } finally {
      await house.close();
    }
  });
});

it("the doctor finds what a new account lacks, goes on after each fault, and says what to do", async () => {
  const now = Date.now();
  const { code, found } = await doctor({
    stack: { name: `${service}-prod`, outputs: { HttpAddress: "http://127.0.0.1:1" } },
    invoke: async () => ({
      ok: {
        engine: "postgres",
        tls: true,
        now,
        databaseNow: now - 61_000,
        collections: [{ collection: "notes", permission: "PRIVATE", documents: 5, notIndexed: ["done"] }],
      },
    }),
  });
  expect(code).toBe(1);
  expect(found.get("collections")).toBe(
    "BAD  collections: not indexed yet: done of notes; npx orderbell init-db --stage prod",
  );
  expect(found.get("functions at once")).toMatch(/^BAD .*Service Quotas/);
  expect(found.get("the sockets' log")).toMatch(/^BAD .*socketLog=yes/);
  expect(found.get("the database's TLS")).toMatch(/^ok/);
  expect(found.get("the database's clock")).toMatch(/^BAD .*61\.0 s apart.*NTP/);
  expect(found.get("pages and HTTP")).toMatch(/^BAD /);
});

it("the doctor says that there is no such stage", async () => {
  const { code, found } = await doctor({});
  expect(code).toBe(1);
  expect(found.get("database")).toContain('there is no stage "prod"');
  expect(found.get("stack")).toMatch(/^BAD /);
});

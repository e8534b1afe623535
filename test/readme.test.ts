/** The README's walk-through, run as it stands: a shell, curl and a socket in one line against `npm start`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layTables } from "./_demo_home.ts";

const root = new URL("..", import.meta.url).pathname;
const walkOf = (file: string) =>
  /```sh\n(api=[\s\S]*?)```/.exec(readFileSync(join(root, file), "utf8"))?.[1] ?? "exit 1";
const withoutComments = (text: string) => text.replace(/^#.*$/gm, "");

const has = (command: string) => {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
};
const tools = has("curl") && has("bash");

describe("the README's walk-through", () => {
  let home: string;
  let server: ChildProcess;
  let said = "";

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "orderbell-readme-"));
    layTables(home);
    server = spawn(process.execPath, ["bin/orderbell.mjs", "start", "--port", "0"], {
      cwd: root,
      env: { ...process.env, ORDERBELL_HOME: home, NODE_OPTIONS: "" },
    });
    await new Promise<void>((resolve, reject) => {
      server.stdout?.on("data", (chunk) => {
        said += chunk;
        if (said.includes("Ctrl-C stops")) resolve();
      });
      server.once("exit", () => reject(new Error(`npm start has ended: ${said}`)));
    });
  });

  afterAll(async () => {
    if (server.exitCode === null) {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
    rmSync(home, { recursive: true, force: true });
  });

  it("is the same in both languages", () => {
    expect(withoutComments(walkOf("README.zh-CN.md"))).toBe(withoutComments(walkOf("README.md")));
  });

  (tools ? it : it.skip)("shows the server's answer when the code was used already, and no stack", async () => {
    const api = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] as string;
    const [signIn = ""] = walkOf("README.md")
      .replace("http://127.0.0.1:8787", api)
      .split(/^ticket=/m);
    const shell = spawn("bash", ["-c", signIn], { cwd: root, env: { ...process.env, PAIRING: "K7QM-2XPA-9TRW" } });
    let printed = "";
    shell.stderr.setEncoding("utf8").on("data", (chunk) => {
      printed += chunk;
    });
    await once(shell, "close");
    expect(JSON.parse(printed)).toMatchObject({ code: "PAIRING_CODE_INVALID" });
  });

  (tools ? it : it.skip)("ends with an order arriving", async () => {
    const api = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] as string;
    const pairing = /PAIRING +([A-Z0-9-]+)/.exec(said)?.[1] as string;
    // Two seconds are enough for a person; here each pause ends with what it waits for.
    const pauses = ["resumed", "arrived"].map((name) => join(home, name));
    const script = pauses.reduce(
      (text, file) => text.replace("sleep 2", `for i in $(seq 600); do [ -e ${file} ] && break; sleep 0.1; done`),
      walkOf("README.md").replace("http://127.0.0.1:8787", api),
    );
    expect(script).not.toContain("sleep 2");
    const shell = spawn("bash", ["-c", script], {
      cwd: root,
      env: { ...process.env, PAIRING: pairing, NODE_OPTIONS: "" },
    });
    let printed = "";
    shell.stdout.setEncoding("utf8").on("data", (chunk) => {
      printed += chunk;
      for (const [at, pattern] of [/kitchen: \{"type":"resumed".*\n/, /"event":"order\.placed".*\n/].entries())
        if (pattern.test(printed)) writeFileSync(pauses[at] as string, "");
    });
    await once(shell, "close");
    // Two programs write here: the kitchen's line may come between the answer and the end of its line.
    const lines = printed
      .replaceAll("kitchen: ", "\nkitchen: ")
      .split("\n")
      .filter((line) => line !== "");
    const answers = lines.filter((line) => !line.startsWith("kitchen: ")).map((line) => JSON.parse(line));
    expect(answers).toEqual([{ order: expect.objectContaining({ number: "A001", status: "placed", itemsFen: 1800 }) }]);
    const heard = lines.filter((line) => line.startsWith("kitchen: ")).map((line) => JSON.parse(line.slice(9)));
    const arrived = heard.filter(({ event }) => event === "order.placed");
    expect(arrived.map(({ data }) => data.order.id)).toEqual([answers[0].order.id]);
  });
});

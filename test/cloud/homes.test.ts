/** The other homes: the image's content is enough to serve, and their files agree with the commands they start. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { engines } from "../_engines.ts";
import { testKeys } from "../_house.ts";

const root = join(__dirname, "../..");
const text = (path: string) => readFileSync(join(root, path), "utf8");

/** What the last stage of the Dockerfile takes from the project. */
function copied(): string[] {
  const stage =
    text("Dockerfile")
      .split(/^FROM /m)
      .at(-1) ?? "";
  return [...stage.matchAll(/^COPY (?!--from)(.+) (\S+)$/gm)].flatMap(([, from = "", to = ""]) =>
    to === "./" ? from.split(" ") : [to],
  );
}

const [postgres] = engines.filter(({ name }) => name === "postgres");

(postgres?.here ? it : it.skip)("the files of the image serve a shop, and stop when they are told to", async () => {
  const db = await (postgres as (typeof engines)[number]).open({ tables: false });
  const folder = mkdtempSync(join(tmpdir(), "orderbell-image-"));
  for (const path of copied()) cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const server = spawn(process.execPath, ["bin/orderbell.mjs", "serve"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      ...testKeys,
      DATABASE_URL: db.url,
      HOST: "127.0.0.1",
      PORT: "0",
      ORDERBELL_HOME: join(folder, "home"),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const listening = new Promise<number>((resolve, reject) => {
    server.stdout.on("data", (chunk) => {
      said += chunk;
      const port = /"event":"listening".*?"port":(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    server.stderr.on("data", (chunk) => {
      said += chunk;
    });
    server.on("close", () => reject(new Error(said)));
  });
  const ended = new Promise((resolve) => server.on("close", resolve));
  try {
    const port = await listening;
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  } finally {
    server.kill("SIGTERM");
    expect(await ended).toBe(0);
    rmSync(folder, { recursive: true });
    await db.remove();
  }
});

it("the image runs as an ordinary user, has a health check, and contains no demo database", () => {
  const last =
    text("Dockerfile")
      .split(/^FROM /m)
      .at(-1) ?? "";
  expect(last).toMatch(/^USER node$/m);
  expect(last).toMatch(/^HEALTHCHECK .*\n.*healthz/m);
  expect(copied()).not.toContain("demo");
  expect(text("Dockerfile")).toContain("rm -rf node_modules/@electric-sql");
});

it("every home of a server trusts the proxy in front of it", () => {
  const compose = parse(text("compose.yaml")) as {
    services: { server: { environment: Record<string, string> } };
    networks: { default: { ipam: { config: { subnet: string }[] } } };
  };
  const [{ subnet } = { subnet: "" }] = compose.networks.default.ipam.config;
  expect(subnet).toMatch(/^\$\{SUBNET:-[\d./]+\}$/);
  expect(compose.services.server.environment.TRUSTED_PROXIES).toBe(`\${TRUSTED_PROXIES:-${subnet}}`);
  expect(text("deploy/orderbell.service")).toMatch(/ TRUSTED_PROXIES=127\.0\.0\.1,::1$/m);
  expect(text("docs/deploy.md")).toMatch(/CloudBase Run: .*\n.*`TRUSTED_PROXIES=private`/);
});

it("no file of a home holds a key or a password", () => {
  const { services } = parse(text("compose.yaml")) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  for (const { environment } of Object.values(services))
    for (const [name, value] of Object.entries(environment))
      if (/KEY|PASSWORD|URL/.test(name)) expect(value).toMatch(/\$\{[A-Z_]+:\?/);
  expect(text("deploy/orderbell.service")).not.toMatch(/(KEY|URL)=/);
});

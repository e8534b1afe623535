/** Files of several server processes: one bucket, named by FILES_URL. What one has taken, the other shows; the secret is nowhere printed. */
import { servers } from "../_engines.ts";
import { testKeys } from "../_house.ts";
import { startS3 } from "../_s3.ts";
import { cleanUp, launch, newHome, orderbell } from "./_cli.ts";

afterAll(cleanUp);

const engine = servers.find(({ name }) => name === "postgres");
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

(engine?.here ? it : it.skip)(
  "two servers have one bucket, and the doctor knows whether it works",
  async () => {
    const s3 = await startS3();
    const db = await (engine as NonNullable<typeof engine>).open();
    const secret = encodeURIComponent(s3.secretAccessKey);
    const FILES_URL = `s3://${s3.accessKeyId}:${secret}@${new URL(s3.url).host}/${s3.bucket}?region=${s3.region}&tls=off`;
    const homes = [await newHome(), await newHome()];
    const environmentOf = (home: string) => ({
      ...testKeys,
      ...{ DATABASE_URL: db.url, ORDERBELL_HOME: home, PORT: "0", LOG_LEVEL: "debug", FILES_URL },
    });
    const running = homes.map((home) => launch(["serve"], { environment: environmentOf(home) }));
    const [one, other] = await Promise.all(
      running.map(async (server) => `http://127.0.0.1:${(await server.printed(/"listening".*"port":(\d+)/))[1]}`),
    );
    const post = async (url: string, token = "", body: object = {}) => {
      const headers = {
        "content-type": "application/json",
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      };
      const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
      return (await answer.json()) as {
        session: { token: string };
        file: { id: string; path: string; state: string };
        upload: { url: string; headers: Record<string, string> };
      };
    };
    const { session } = await post(`${one}/login/guest`);
    const asked = { purpose: "picture", name: "a.png", type: "image/png", bytes: png.length };
    const { file, upload } = await post(`${one}/files`, session.token, asked);
    expect((await fetch(upload.url, { method: "PUT", headers: upload.headers, body: png as never })).status).toBe(200);
    expect(await post(`${other}/files/${file.id}/complete`, session.token)).toMatchObject({
      file: { state: "stored" },
    });
    const shown = await fetch(`${other}${file.path}`);
    expect([shown.status, new URL(shown.url).origin]).toEqual([200, s3.url]);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(png);
    const doctor = await orderbell(["doctor"], { environment: environmentOf(String(homes[0])) });
    expect([doctor.code, doctor.out]).toEqual([0, expect.stringMatching(/"?files"?.*ok/)]);
    expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^files\//)]);
    for (const server of running) await server.kill("SIGTERM");
    const printed = running.map((server) => server.out() + server.err()).join("");
    expect(printed).toContain("listening");
    for (const hidden of [s3.secretAccessKey, secret, "X-Amz-Signature"]) expect(printed).not.toContain(hidden);
    await db.remove();
    await s3.close();
  },
  60_000,
);

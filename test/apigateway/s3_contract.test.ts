/** S3 keeps what every store of files promises, with addresses that temporary credentials have signed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { s3Store } from "../../apigateway/s3_store.ts";
import { TestClock } from "../_house.ts";
import { type CorsRule, startS3 } from "../_s3.ts";
import { fileStoreContract, type OpenStore } from "../contracts/file_store.ts";

/** Those of the bucket on AWS, where pages of anybody may upload. */
const { Resources } = parse(readFileSync(join(__dirname, "../../apigateway/resources.yml"), "utf8"));
const rules: CorsRule[] = Resources.PictureBucket.Properties.CorsConfiguration.CorsRules;
const cors = rules.map((rule) => ({ ...rule, AllowedOrigins: ["*"] }));

async function openS3(): Promise<OpenStore> {
  const clock = new TestClock();
  const credentials = { secretAccessKey: "a/secret+of=the-stand-in", sessionToken: "a-token/+=" };
  const s3 = await startS3({ now: clock.now, cors, credentialsOf: () => credentials });
  const { region, accessKeyId, endpoint, bucket } = s3;
  const of = { region, accessKeyId, ...credentials, bucket, endpoint, now: clock.now };
  return {
    store: s3Store(of, { sleep: async () => {}, fraction: () => 0.5 }),
    base: s3.url,
    forward: (ms) => clock.forward(ms),
    close: () => s3.close(),
  };
}

describe("files in S3", () => fileStoreContract(openS3));

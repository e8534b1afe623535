/** Checks many texts in one process, which loads the linter once: node --import tsx test/apigateway/_check_api.ts <texts.json>. */
import { readFileSync } from "node:fs";
import { checkApi, type Texts } from "../../scripts/check_api.ts";

const texts = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Texts[];
const found: string[][] = [];
for (const one of texts) found.push(await checkApi(one));
process.stdout.write(JSON.stringify(found));

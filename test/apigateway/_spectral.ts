/** Lints openapi.yaml with Spectral, an ES module's worth of rules for OpenAPI: node --import tsx test/apigateway/_spectral.ts. */
import { Document, Spectral } from "@stoplight/spectral-core";
import { Yaml } from "@stoplight/spectral-parsers";
import { oas } from "@stoplight/spectral-rulesets";
import { readOpenapi } from "../../scripts/read_api.ts";

const spectral = new Spectral();
spectral.setRuleset({ extends: [[oas, "all"]] });
const found = await spectral.run(new Document(readOpenapi(), Yaml, "openapi.yaml"));
process.stdout.write(JSON.stringify(found.map(({ code, path, message, severity }) => ({ code, path: path.join("/"), message, severity }))));

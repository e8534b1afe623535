/** Lints openapi.yaml with all of Spectral's rules for OpenAPI, in a process of its own: node --import tsx test/apigateway/_spectral.ts. */
import core, { type RulesetDefinition } from "@stoplight/spectral-core";
import parsers from "@stoplight/spectral-parsers";
import rulesets from "@stoplight/spectral-rulesets";
import { readOpenapi } from "../../scripts/read_api.ts";

const spectral = new core.Spectral();
spectral.setRuleset({ extends: [[rulesets.oas as RulesetDefinition, "all"]], rules: {} });
const found = await spectral.run(new core.Document(readOpenapi(), parsers.Yaml, "openapi.yaml"));
process.stdout.write(JSON.stringify(found.map(({ code, path, message }) => [code, path.join("/"), message])));

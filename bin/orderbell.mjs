#!/usr/bin/env node
/** Runs the command line from its TypeScript. */
import { register } from "tsx/esm/api";

register();
const { main } = await import("../cli/main.ts");
process.exitCode = await main(process.argv.slice(2), process.env);

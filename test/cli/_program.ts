/** The command line as a process: bin/orderbell.mjs without tsx. */
import { main } from "../../cli/main.ts";

process.exitCode = await main(process.argv.slice(2), process.env);

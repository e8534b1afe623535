/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

/** Which engines run is found out in test/_setup.ts and printed; see docs/testing.md. */
const config: Config = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  transform: { "\\.(ts|js|mjs)$": "<rootDir>/scripts/jest_transform.cjs" },
  // Packages that ship only ES modules.
  transformIgnorePatterns: ["/node_modules/(?!.*(sql-template-tag|json-schema-ref-parser)/)"],
  globalSetup: "<rootDir>/test/_setup.ts",
  globalTeardown: "<rootDir>/test/_teardown.ts",
  // A busy machine is slow; only what hangs shall fail by it.
  testTimeout: 180_000,
  maxWorkers: 2,
  // A fresh worker for each file: jest-circus leaves an AsyncLocalStorage behind in each, and on Node 20 every promise pays
  // for every one of them. After 45 files a promise costs 80 times as much.
  workerIdleMemoryLimit: "1KB",
};

export default config;

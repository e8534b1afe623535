/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

/** Which engines run is found out in test/_setup.ts and printed; see docs/testing.md. */
const config: Config = {
  testEnvironment: "<rootDir>/scripts/jest_environment.cjs",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testSequencer: "<rootDir>/scripts/jest_sequencer.cjs",
  transform: { "\\.(ts|js|mjs)$": "<rootDir>/scripts/jest_transform.cjs" },
  // Packages that ship only ES modules.
  transformIgnorePatterns: ["/node_modules/(?!.*(jose|sql-template-tag|json-schema-ref-parser)/)"],
  globalSetup: "<rootDir>/test/_setup.ts",
  globalTeardown: "<rootDir>/test/_teardown.ts",
  // A busy machine is slow; only what hangs shall fail by it.
  testTimeout: 180_000,
  // One more than CI has cores: with one for each, tests that wait left an eighth of the time unused.
  maxWorkers: 3,
  // Each file leaves modules behind in its worker; beginning a new one takes a second.
  workerIdleMemoryLimit: "800MB",
};

export default config;

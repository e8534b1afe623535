/**
 * Starts slow test files first. jest sorts by the last duration, or without one, as on CI, by size; but the slowest file is a
 * short one: it would start last, and run alone.
 */
const { default: Sequencer } = require("@jest/test-sequencer");

// One that computes beside one that mostly waits.
const long = [
  "cloud/template",
  "faults/storm",
  "db/silence",
  "live/ledger",
  "stories/killed",
  "faults/tunnels",
  "live/watch_cloud_ledger",
  "cloud/channel",
  "cloud/watches",
  "live/watch_processes",
  "cloud/deploy",
  "cloud/create",
  "web/kitchen",
  "scripts/api_page",
  "cloud/bundles",
  "attacks/routes",
  "db/database",
  "clients/channel.model",
  "webhooks/webhooks",
  "wafer/callbacks",
  "cli/start",
];

const placeOf = ({ path }) => {
  const at = long.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return at < 0 ? long.length : at;
};

module.exports = class extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
};

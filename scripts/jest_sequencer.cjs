/**
 * Starts slow test files first. jest sorts by the last duration, or without one, as on CI, by size; but the slowest file is a
 * short one: it would start last, and run alone.
 */
const { default: Sequencer } = require("@jest/test-sequencer");

// One that computes beside one that mostly waits. Whatever takes more than a quarter of a minute: the rest fills the end evenly.
const long = [
  "cloud/template",
  "live/ledger",
  "cloud/watches",
  "faults/storm",
  "web/kitchen",
  "attacks/authority",
  "db/silence",
  "attacks/routes",
  "cloud/deploy",
  "db/database",
  "cloud/bundles",
  "live/watch_cloud_ledger",
  "web/customer",
  "faults/tunnels",
  "clients/collections_server",
  "clients/rooms",
  "cloud/channel",
  "cloud/webhooks",
  "wafer/channel",
  "cloudbase/watch_faults",
  "scripts/api_page",
  "webhooks/webhooks",
  "web/owner",
  "live/answers",
  "attacks/fuzz",
  "cli/serve",
  "web/kitchen_orders",
  "stories/killed",
  "cloudbase/operators",
  "cloudbase/documents",
  "cloudbase/chromium",
  "examples",
  "stories/database_outage",
  "apigateway/gateway",
  "clients/channel.model",
  "cloudbase/watch_cloud",
  "wafer/callbacks",
  "db/migrate",
  "attacks/flood",
  "web/collections",
  "cli/start",
  "live/watch_processes",
  "apigateway/openapi",
  "cli/commands",
  "cloud/create",
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

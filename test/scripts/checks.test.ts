/** The checks themselves: what is wrong is found. */
import { readFileSync } from "node:fs";
import { checkProtocol } from "../../scripts/check_protocol.ts";
import { scan } from "../../scripts/scan.ts";

const protocol = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

describe("docs/protocol.md against the code", () => {
  it("is clean", () => {
    expect(checkProtocol(protocol)).toEqual([]);
  });

  it.each<[string, string, string, RegExp]>([
    ["a message that does not exist", "### `head`", "### `heads`", /message "heads".*not in the code/],
    ["a message that is missing", "### `leave`\n", "\n", /message "leave".*not in docs/],
    [
      "a right that is not given",
      "| cancel | yes | yes | no | yes |",
      "| cancel | yes | yes | yes | yes |",
      /"cancel" by kitchen/,
    ],
    ["a reader too many", "| itself | nobody |", "| anyone | nobody |", /reader of user "anyone"/],
    ["an event that does not exist", "`dish.changed`", "`dish.altered`", /event of shop "dish.altered"/],
    ["a code that does not exist", "`SLOW_READER`: it", "`SLOW_WRITER`: it", /code "SLOW_WRITER"/],
    ["another way to make a stream", "with its first event", "by hand", /stream "user" is made/],
  ])("finds %s", (_, before, after, problem) => {
    expect(protocol).toContain(before);
    expect(checkProtocol(protocol.replace(before, after)).join("\n")).toMatch(problem);
  });
});

describe("the search for secrets in what was printed", () => {
  // Put together here, so that this very file does not hold one.
  const planted: [string, string][] = [
    ["a session token", `obg_${"0".repeat(52)}${"a".repeat(32)}`],
    ["a ticket", `obt_${"a".repeat(32)}`],
    ["an API key", `obk_${"a".repeat(43)}`],
    ["a pairing code", ["K7QM", "2XPA", "9TRW"].join("-")],
    ["a telephone number", `1390000${"1234"}`],
    ["a name", ["王", "小", "明"].join("")],
  ];

  it.each(planted)("finds %s, and does not repeat it", (what, secret) => {
    const found = scan(`{"event":"request"}\n{"event":"request","note":"${secret}"}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(what);
    expect(found[0]).not.toContain(secret);
  });

  it("finds nothing in an ordinary line", () => {
    expect(
      scan(
        '{"at":"2026-11-21T08:19:02.504Z","level":"info","event":"push","stream":"shop:noodles","seq":17,"about":"01M7YHFXQAX5A2EW393VQTANMS"}',
      ),
    ).toEqual([]);
  });
});

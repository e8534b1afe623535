/** The printed log: one call of the system for the lines of a turn, and complete however the process ends. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { logOutput } from "../../cli/log_output.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("the lines of one turn are printed in one call, in their order", async () => {
  const printed: string[] = [];
  const { write } = logOutput((text) => printed.push(text));
  write("a\n");
  await undefined;
  write("b\n");
  expect(printed).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  write("c\n");
  await new Promise((resolve) => setImmediate(resolve));
  expect(printed).toEqual(["a\nb\n", "c\n"]);
});

it.each([
  ["exits", "process.exit(3)"],
  ["throws", 'throw new Error("x")'],
  ["rejects", 'await Promise.reject(new Error("x"))'],
  ["ends", ""],
])("the log is complete when the process %s in the turn of its last lines", (_, end) => {
  const script = `
    import { logOutput } from "./cli/log_output.ts";
    const { write } = logOutput((text) => void process.stdout.write(text));
    write("first\\n");
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (let at = 0; at < 2_000; at++) write(at + "\\n");
    ${end}
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  expect(stdout.split("\n")).toEqual(["first", ...Array.from({ length: 2_000 }, (_one, at) => String(at)), ""]);
});

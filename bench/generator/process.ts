/** The generator in a process of its own: the parent sends a call, the process answers it. */
import { Generator, type Load, type Scene } from "./generator.ts";

export type Call = { readonly n: number; readonly open: Scene } | { readonly n: number; readonly run: Load };

export type Answer = { readonly n: number; readonly result: unknown } | { readonly n: number; readonly error: string };

let generator: Generator | undefined;

async function answer(call: Call): Promise<unknown> {
  if ("run" in call) return generator?.run(call.run);
  generator = new Generator(call.open);
  return generator.open();
}

process.on("message", (call: Call) => {
  answer(call).then(
    (result) => process.send?.({ n: call.n, result } satisfies Answer),
    (error: Error) => process.send?.({ n: call.n, error: error.message } satisfies Answer),
  );
});
process.on("disconnect", () => process.exit());

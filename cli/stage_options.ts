/** Options that send a command to a stage in the cloud. */
import { UsageError } from "./usage_error.ts";

export interface StageOptions {
  readonly stage: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** Takes `--stage`, `--region` and `--profile` out of the arguments. @throws UsageError */
export function splitStageOptions(argv: readonly string[]): { stageOptions: StageOptions | undefined; rest: string[] } {
  const taken: Record<string, string> = {};
  const rest: string[] = [];
  const words = argv[Symbol.iterator]();
  for (const word of words) {
    const [, name, value] = /^--(stage|region|profile)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) {
      rest.push(word);
      continue;
    }
    const given = value ?? words.next().value;
    if (given === undefined || given === "") throw new UsageError(`--${name} needs a value`);
    taken[name] = given;
  }
  const { stage, region, profile } = taken;
  if (stage === undefined && (region ?? profile) !== undefined)
    throw new UsageError("--region and --profile go with --stage");
  return { stageOptions: stage === undefined ? undefined : { stage, region, profile }, rest };
}

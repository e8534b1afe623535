/** Where a command goes: here, or to a stage in the cloud. */
import { Misused } from "./commands.ts";

export interface Place {
  readonly stage: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** Takes `--stage`, `--region` and `--profile` out of the words. @throws Misused */
export function placeOf(argv: readonly string[]): { place: Place | undefined; rest: string[] } {
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
    if (given === undefined || given === "") throw new Misused(`--${name} needs a value`);
    taken[name] = given;
  }
  const { stage, region, profile } = taken;
  if (stage === undefined && (region ?? profile) !== undefined)
    throw new Misused("--region and --profile go with --stage");
  return { place: stage === undefined ? undefined : { stage, region, profile }, rest };
}

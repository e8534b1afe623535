/**
 * Parameters of a stage's last deployment, stored as an output of its stack. A deployment that would leave the stage's database
 * behind needs a confirmation; other differences are printed.
 */
import { DeploymentError } from "./deployment_error.ts";
import type { Parameters } from "./parameters.ts";
import type { Template } from "./resolve_conditions.ts";

const output = "Parameters";
/** Not stored: a personal address, and a parameter that is meant for one deployment. */
const notStored = new Set(["alarmMail", "replaceDatabase"]);

const storable = (given: Parameters): Record<string, string> =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([name]) => !notStored.has(name))
      .map(([name, value]) => [name, String(value)]),
  );

/** Adds the output to the template. */
export function recordParameters(template: Template, given: Parameters): void {
  template.Outputs = {
    ...template.Outputs,
    [output]: { Description: "The parameters of the last deployment", Value: JSON.stringify(storable(given)) },
  };
}

/**
 * @param outputs the stack's; undefined when there is none
 * @returns a line for each parameter that has changed
 * @throws DeploymentError when the database would be left behind
 */
export function compareParameters(outputs: Readonly<Record<string, string>> | undefined, given: Parameters): string[] {
  const last = parsed(outputs?.[output]);
  if (last === undefined) return [];
  const now = storable(given);
  const changed = Object.keys(now).filter((name) => name in last && last[name] !== now[name]);
  const moves = changed.filter((name) => name === "database" || (name === "engine" && now.database === "url"));
  if (moves.length > 0 && given.replaceDatabase !== "yes") {
    const before = moves.map((name) => `--param ${name}=${last[name]}`).join(" ");
    throw new DeploymentError(
      [
        `This stage stands on ${moves.map((name) => `${name} ${last[name]}`).join(", ")}; this deployment says ${moves.map((name) => `${name} ${now[name]}`).join(", ")}.`,
        "Every function would move to another database, and one that was made with the stage would be deleted (keepData says what is left).",
        `To stay: ${before}, or put it into serverless.yml under params with the stage's name.`,
        "To move: --param replaceDatabase=yes",
      ].join("\n"),
    );
  }
  return changed.map((name) => `${name}: ${last[name] || "none"} → ${now[name] || "none"}`);
}

function parsed(text: string | undefined): Record<string, string> | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Resolves the template's conditions before the upload: every parameter is known by then, and resources that will not be made
 * are removed. A validator then checks exactly what AWS receives.
 */

type Json = unknown;
type Fields = Record<string, Json>;

export interface Template {
  Conditions?: Fields;
  Resources: Record<string, Resource>;
  Outputs?: Record<string, Fields>;
}

export interface Resource {
  Type: string;
  Condition?: string;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  Properties?: Fields;
}

/** Changes the template in place. @throws TypeError for a condition that does not compare constants */
export function resolveConditions(template: Template): void {
  const conditions = template.Conditions ?? {};
  const holds = (name: string): boolean => {
    if (!(name in conditions)) throw new TypeError(`there is no condition "${name}"`);
    return decide(conditions[name], holds);
  };
  for (const part of [template.Resources, template.Outputs ?? {}])
    for (const [id, entry] of Object.entries(part)) {
      const { Condition } = entry as { Condition?: string };
      if (Condition !== undefined && !holds(Condition)) delete part[id];
      else delete entry.Condition;
    }
  template.Resources = choose(template.Resources, holds) as Template["Resources"];
  if (template.Outputs !== undefined) template.Outputs = choose(template.Outputs, holds) as Record<string, Fields>;
  for (const resource of Object.values(template.Resources)) {
    if (resource.DependsOn === undefined) continue;
    const left = [resource.DependsOn].flat().filter((id) => id in template.Resources);
    if (left.length === 0) delete resource.DependsOn;
    else resource.DependsOn = left;
  }
  delete template.Conditions;
}

function decide(condition: Json, holds: (name: string) => boolean): boolean {
  const [[word, given] = []] = Object.entries(condition as Fields);
  switch (word) {
    case "Fn::Equals": {
      const [a, b] = given as Json[];
      if (typeof a === "object" || typeof b === "object") throw new TypeError("a condition compares constants only");
      return String(a) === String(b);
    }
    case "Fn::Not":
      return !decide((given as Json[])[0], holds);
    case "Fn::And":
      return (given as Json[]).every((one) => decide(one, holds));
    case "Fn::Or":
      return (given as Json[]).some((one) => decide(one, holds));
    case "Condition":
      return holds(given as string);
    default:
      throw new TypeError(`a condition with "${word}"`);
  }
}

const nothing = Symbol("AWS::NoValue");

/** Replaces each `Fn::If` by its chosen branch; `AWS::NoValue` removes its property. */
function choose(value: Json, holds: (name: string) => boolean): Json {
  if (Array.isArray(value)) return value.map((one) => choose(one, holds)).filter((one) => one !== nothing);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Fields;
  if (fields.Ref === "AWS::NoValue") return nothing;
  const branches = fields["Fn::If"] as [string, Json, Json] | undefined;
  if (branches !== undefined) return choose(holds(branches[0]) ? branches[1] : branches[2], holds);
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, one]) => [name, choose(one, holds)] as const)
      .filter(([, one]) => one !== nothing),
  );
}

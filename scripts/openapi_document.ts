/** Helpers for readers of an OpenAPI document: the methods of a path, and the targets of references. */

type Node = { readonly [name: string]: unknown };

export const methods = ["get", "put", "post", "delete", "patch", "head", "options"];

/** The codes that a schema can answer: the schema of an error has its code as its name. */
export function codesIn(node: unknown): string[] {
  const found = new Set<string>();
  const visit = (at: unknown): void => {
    if (at === null || typeof at !== "object") return;
    const [, code] = /[/:]([A-Z][A-Z_]+)$/.exec(String((at as Node).$ref ?? "")) ?? [];
    if (code !== undefined) found.add(code);
    for (const part of Object.values(at)) visit(part);
  };
  visit(node);
  return [...found];
}

/** @returns a function that replaces a node with a `$ref` by its target @throws TypeError when there is no target */
export function followIn<N extends Node>(document: N): (node: N) => N {
  return function follow(node) {
    if (typeof node.$ref !== "string") return node;
    // read_api.ts writes references in this form, to compile each schema by itself.
    const path = node.$ref.replace(/^schema:/, "#/components/schemas/");
    const steps = path.split("/").slice(1);
    const target = steps.reduce<unknown>((at, step) => (at as Node | undefined)?.[step], document);
    if (target === undefined) throw new TypeError(`openapi.yaml: "${node.$ref}" leads nowhere`);
    return follow(target as N);
  };
}

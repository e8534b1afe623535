/** Helpers for readers of an OpenAPI document: the methods of a path, and the targets of references. */

type Node = { readonly [name: string]: unknown };

export const methods = ["get", "put", "post", "delete", "patch", "head", "options"];

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

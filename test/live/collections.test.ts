/** collections.yml: what it declares, and errors with their lines. */
import fc from "fast-check";
import { parseCollections } from "../../shared/live/collections.ts";
import { maxCollections, maxDocumentBytes } from "../../shared/live/limits.ts";

it("a declaration gives permissions, indexes and limits", () => {
  const { collections, errors } = parseCollections(`
# what the pages may touch
notes:
  permission: PRIVATE
  indexes: [done, author.id]
  limits: { documents: 10000 }
rooms:
  rules:
    read: true
    write: auth.uid in doc.members
    delete: false
`);
  expect(errors).toEqual([]);
  expect([...collections.keys()]).toEqual(["notes", "rooms"]);
  expect(collections.get("notes")).toEqual({
    name: "notes",
    permission: { preset: "PRIVATE" },
    indexes: ["done", "author.id"],
    limits: { documents: 10_000, documentsOfOne: 1_000, documentBytes: maxDocumentBytes },
  });
  const { permission } = collections.get("rooms") ?? {};
  const rules = permission !== undefined && "rules" in permission ? permission.rules : {};
  expect(rules.read).toEqual({ kind: "literal", value: true });
  expect(rules.delete).toEqual({ kind: "literal", value: false });
  expect(rules.create).toEqual(rules.update);
  expect(rules.create).toMatchObject({ kind: "compare", operator: "in" });
});

it("an empty declaration has no collections", () => {
  for (const text of ["", "# nothing\n", "{}"])
    expect(parseCollections(text)).toEqual({ collections: new Map(), errors: [] });
});

it.each<[text: string, errors: string[]]>([
  ["notes:\n  permission: PUBLIC", ["line 2: the permission is one of READONLY, PRIVATE, ADMINWRITE, ADMINONLY"]],
  ["\nnotes:\n  indexes: [a]", ["line 2: a collection has either a permission or rules"]],
  ["notes:\n  permission: PRIVATE\n  rules: {}", ["line 1: a collection has either a permission or rules"]],
  [
    "notes:\n  permission: PRIVATE\n  index: [a]",
    ['line 3: "index" is unknown: there are permission, rules, indexes, limits'],
  ],
  ["orders:\n  permission: PRIVATE", ['line 1: "orders" is one of orderbell\'s own collections']],
  ["9a:\n  permission: PRIVATE", ['line 1: "9a" is not a name: a letter, then letters, digits, - and _, at most 40']],
  [
    "notes:\n  rules:\n    read: doc.a ==\n    look: true\n    write: 1",
    [
      "line 3: the rule ends too early, at character 9 of the rule",
      'line 4: "look" is unknown: there are read, write, create, update, delete',
      "line 5: a rule is true, false or a text",
    ],
  ],
  [
    "notes:\n  permission: PRIVATE\n  indexes:\n    - a\n    - a.0\n    - a\n    - _id\n    - 5\n    - a..b",
    [
      'line 5: "a.0" names a place in a list',
      'line 6: "a" stands twice in the indexes',
      'line 7: "_id" is always indexed',
      "line 8: an indexed field is a text",
      "line 9: a field's name is empty",
    ],
  ],
  [
    "notes:\n  permission: PRIVATE\n  limits:\n    documents: 0\n    bytes: 5",
    [
      'line 4: "documents" is an integer from 1 to 10000000',
      'line 5: "bytes" is unknown: there are documents, documentsOfOne, documentBytes',
    ],
  ],
  [
    "notes: 5",
    [
      "line 1: a collection has either a permission or rules",
      'line 1: collection "notes" is not a list of names with values',
    ],
  ],
  ["- notes", ["line 1: the file is not a list of names with values"]],
  ["a:\n  permission: PRIVATE\na:\n  permission: PRIVATE", ["line 3: Map keys must be unique"]],
])("%j is refused with its lines", (text, errors) => {
  const declared = parseCollections(text);
  expect(declared.errors.toSorted()).toEqual(errors.toSorted());
  // A server must not start with a part of its permissions.
  expect(declared.collections.size).toBe(0);
});

it("too many collections are refused", () => {
  const text = Array.from({ length: maxCollections + 1 }, (_, nth) => `c${nth}: { permission: PRIVATE }`).join("\n");
  expect(parseCollections(text).errors).toEqual([`line 1: at most ${maxCollections} collections`]);
});

it("any text is declared or refused with a line, and never throws", () => {
  const part = fc.constantFrom(
    ..."notes: |permission:|PRIVATE|rules:|read:|true|doc.a|indexes:|[a]|- a|limits:|documents: 5|&a|*a|<<:|{|}|'|\"|!!set|? |\n|\n  |\n    ".split(
      "|",
    ),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(part).map((parts) => parts.join("")),
        fc.string(),
      ),
      (text) => {
        for (const error of parseCollections(text).errors) expect(error).toMatch(/^line \d+: ./);
      },
    ),
    { numRuns: 1_000 },
  );
});

/** Permissions: the language of rules, default deny, what a rule says about a query. */
import fc from "fast-check";
import { Forbidden } from "../../shared/errors.ts";
import { maxGetDocuments, maxRuleLength } from "../../shared/live/limits.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { type Action, authorizeQuery, mayDo, type Permission, type Preset } from "../../shared/live/permission.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { parseRule, RuleError } from "../../shared/live/rule_syntax.ts";
import { type Auth, holds, type Lookup, NotRead } from "../../shared/live/rules.ts";
import type { Document, Fields } from "../../shared/live/value.ts";
import { document, now, query } from "./_arbitrary.ts";

const me: Auth = { uid: "me", openid: null, loginType: "ANONYMOUS" };
const stored: Readonly<Record<string, Document>> = {
  "rooms.r1": { _id: "r1", members: ["me"], next: "r2" },
  "rooms.r2": { _id: "r2", members: ["you"], owner: "me" },
};
const lookup: Lookup = (collection, id) => stored[`${collection}.${id}`];

const allows = (rule: string, doc: Fields, auth: Auth | null = me, data?: Fields) =>
  holds(parseRule(rule), { auth, doc: { document: doc }, data, now }, lookup);

describe("a rule", () => {
  it.each<[rule: string, doc: Fields, expected: boolean]>([
    ["true", {}, true],
    ["false", {}, false],
    ["1", {}, false],
    ["'true'", {}, false],
    ["doc._openid == auth.uid", { _openid: "me" }, true],
    ["doc._openid === auth.uid", { _openid: "you" }, false],
    ["auth.uid in doc.members", { members: ["you", "me"] }, true],
    ["auth.uid in doc.members", { members: "me" }, false],
    ["auth.uid in doc.members", {}, false],
    ["doc.status in ['open', 'shared']", { status: "open" }, true],
    ["doc.n > 1 && doc.n <= 3", { n: 3 }, true],
    ["doc.n > 1 && doc.n <= 3", { n: 1 }, false],
    ["doc.n > 1", { n: "2" }, false],
    ["doc.n < 0 || doc.n == -1.5", { n: -1.5 }, true],
    ["now > doc.until", { until: new Date(now - 1) }, true],
    ["now > doc.until", { until: new Date(now + 1) }, false],
    ["now > doc.until", {}, false],
    ["!doc.hidden", {}, true],
    ["!doc.hidden", { hidden: 1 }, false],
    ["!(doc.hidden == true)", { hidden: true }, false],
    ["doc.open", { open: true }, true],
    ["doc.open", { open: 1 }, false],
    ["doc.a.b['c']", { a: { b: { c: true } } }, true],
    ["doc.list[1] == 2", { list: [1, 2] }, true],
    ["doc.toString == null", {}, true],
    ["doc[doc.a] == null", { a: { toString: [] } }, true],
    ["get(`database.rooms.${doc.room}`) == null", { room: { toString: [] } }, true],
    ["get(`database.rooms.${doc.room}`) == null", { room: ["r1"] }, true],
    ["doc.constructor == null", {}, true],
    ["auth.loginType != 'ANONYMOUS'", {}, false],
    ["doc.owner == null", {}, true],
    ["doc.owner != null", {}, false],
    ["doc.a == doc.b", {}, false],
    ["doc.a != doc.b", {}, false],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: "r1" }, true],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: "r2" }, false],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: "none" }, false],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", {}, false],
    ["get(`database.rooms.${get('database.rooms.r1').next}`).owner == auth.uid", {}, true],
    ["get('database.rooms.none') == null", {}, true],
    ["get('rooms') != null", {}, false],
  ])("%s on %j: %s", (rule, doc, expected) => {
    expect(allows(rule, doc)).toBe(expected);
  });

  it("sees what a write brings", () => {
    const rule = "request.data.n <= 10 && request.data.name != null";
    expect(allows(rule, {}, me, { n: 5, name: "x" })).toBe(true);
    expect(allows(rule, {}, me, { n: 5 })).toBe(false);
    expect(allows(rule, {})).toBe(false);
  });

  it("of a visitor without a session does not hold for a document without an owner", () => {
    for (const rule of ["doc._openid == auth.uid", "doc._openid == auth.openid", "auth.uid == doc.owner"]) {
      expect(allows(rule, {}, null)).toBe(false);
      expect(allows(rule, { _openid: null }, null)).toBe(false);
    }
    expect(allows("auth != null", {}, null)).toBe(false);
    expect(allows("auth != null", {})).toBe(true);
    // In a browser there is no WeChat openid.
    expect(allows("doc._openid == auth.openid", {})).toBe(false);
  });

  it.each<[why: string, rule: string]>([
    ["the rule ends too early", ""],
    ["the rule ends too early", "doc.a =="],
    ["is unknown", "process.exit"],
    ["is unknown", "this"],
    ["is unknown", "constructor"],
    ["is not expected", "doc.a b"],
    ["is not expected", "1 < 2 < 3"],
    ["is not expected", "doc.a(1)"],
    ["is not of the language", "doc.a = 1"],
    ["is not of the language", "doc.a; 1"],
    ["is not of the language", "a => a"],
    ["is not of the language", "'open"],
    ["expected ]", "doc['a'"],
    ["expected a name", "doc.1"],
    ["at most 3 times", "get('a') == get('b') && get('c') == get('d')"],
    ["at most 2 deep", "get(get(get('a')))"],
    [`at most ${maxRuleLength} characters`, " ".repeat(maxRuleLength + 1)],
    ["nested too deep", `${"(".repeat(500)}true${")".repeat(500)}`],
    ["nested too deep", `${"!".repeat(500)}true`],
    ["too many members", `doc${".a".repeat(500)}`],
  ])("is refused as %j", (why, rule) => {
    expect(() => parseRule(rule)).toThrow(RuleError);
    expect(() => parseRule(rule)).toThrow(why);
  });

  it("of any text is parsed, or refused at a character", () => {
    const part = fc.constantFrom(
      ..."doc auth request now get ( ) [ ] . , ! && || == != < <= in - 1 'a' `x${doc.a}` `${ true false null a".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part).map((parts) => parts.join(" ")),
          fc.string(),
        ),
        (text) => {
          try {
            parseRule(text);
          } catch (error) {
            expect(error).toBeInstanceOf(RuleError);
            expect((error as RuleError).column).toBeGreaterThan(0);
            expect((error as RuleError).column).toBeLessThanOrEqual(text.length + 1);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

const request = (auth: Auth | null = me) => ({ auth, now, lookup });
const condition = (input: unknown) => parseQuery(input, { now, owner: "me" });
const authorize = (permission: Permission, action: Exclude<Action, "create">, input: unknown, auth: Auth | null = me) =>
  authorizeQuery(permission, action, condition(input), request(auth), "notes");

describe("a preset", () => {
  const who: Readonly<Record<string, Auth | null>> = { nobody: null, me, admin: { ...me, uid: "x", isAdmin: true } };
  const may: Readonly<Record<Preset, Readonly<Record<string, string>>>> = {
    READONLY: { nobody: "read", me: "read,create,update,delete", admin: "read,create,update,delete" },
    PRIVATE: { nobody: "", me: "read,create,update,delete", admin: "read,create,update,delete" },
    ADMINWRITE: { nobody: "read", me: "read", admin: "read,create,update,delete" },
    ADMINONLY: { nobody: "", me: "", admin: "read,create,update,delete" },
  };
  it.each(Object.entries(may))("%s permits its own actions on one's own document", (preset, table) => {
    for (const [name, expected] of Object.entries(table)) {
      const found: string[] = [];
      for (const action of ["read", "create", "update", "delete"] as const)
        if (mayDo({ preset: preset as Preset }, action, { _openid: "me" }, request(who[name]))) found.push(action);
      expect([name, found.join()]).toEqual([name, expected]);
    }
  });

  it("permits no change of another's document, and PRIVATE no look", () => {
    for (const doc of [{ _openid: "you" }, {}])
      for (const preset of ["READONLY", "PRIVATE"] as const) {
        for (const action of ["create", "update", "delete"] as const)
          expect(mayDo({ preset }, action, doc, request())).toBe(false);
        expect(mayDo({ preset }, "read", doc, request())).toBe(preset === "READONLY");
      }
  });

  it("narrows a query to one's own documents, and refuses whom it permits nothing", () => {
    const narrowed = compileMatch(authorize({ preset: "PRIVATE" }, "read", { a: 1 }));
    expect(narrowed({ a: 1, _openid: "me" })).toBe(true);
    expect(narrowed({ a: 1, _openid: "you" })).toBe(false);
    expect(narrowed({ a: 1 })).toBe(false);
    expect(authorize({ preset: "READONLY" }, "read", { a: 1 })).toEqual(condition({ a: 1 }));
    expect(() => authorize({ preset: "PRIVATE" }, "read", {}, null)).toThrow(Forbidden);
    expect(() => authorize({ preset: "ADMINONLY" }, "read", {})).toThrow(Forbidden);
    expect(() => authorize({ preset: "ADMINWRITE" }, "update", {})).toThrow(Forbidden);
  });
});

describe("a query under a rule", () => {
  const may = (rule: string, input: unknown) => {
    try {
      authorize({ rules: { read: parseRule(rule) } }, "read", input);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(Forbidden);
      return false;
    }
  };

  it.each<[rule: string, query: object, expected: boolean]>([
    ["true", {}, true],
    ["auth != null", {}, true],
    ["doc._openid == auth.uid", {}, false],
    ["doc._openid == auth.uid", { _openid: "{openid}" }, true],
    ["doc._openid == auth.uid", { _openid: "you" }, false],
    ["doc._openid == auth.uid", { _openid: { $in: ["me", "you"] } }, false],
    ["doc._openid == auth.uid", { $and: [{ a: 1 }, { _openid: { $eq: "me" } }] }, true],
    ["doc._openid == auth.uid", { $or: [{ _openid: "me" }, { a: 1 }] }, false],
    [
      "doc._openid == auth.uid",
      {
        $or: [
          { _openid: "me", a: 1 },
          { _openid: "me", b: 2 },
        ],
      },
      true,
    ],
    ["doc._openid == auth.uid", { _openid: { $ne: "you" } }, false],
    ["doc._openid == auth.uid", { _openid: { $regex: "me" } }, false],
    ["doc._openid == auth.uid", { _id: "1" }, true],
    ["doc.public == true || doc._openid == auth.uid", { public: true }, true],
    ["doc.public == true || doc._openid == auth.uid", { _openid: "me" }, true],
    ["doc.public == true || doc._openid == auth.uid", { a: 1 }, false],
    ["doc.status in ['open', 'shared']", { status: "open" }, true],
    ["doc.status in ['open', 'shared']", { status: { $in: ["open", "shared"] } }, true],
    ["doc.status in ['open', 'shared']", { status: { $in: ["open", "secret"] } }, false],
    ["doc.status != 'secret'", { status: { $ne: "secret" } }, true],
    ["doc.status != 'secret'", { status: { $nin: ["secret", "x"] } }, true],
    ["doc.status != 'secret'", { a: 1 }, false],
    ["doc.n > 5", { n: { $gt: 7 } }, true],
    ["doc.n > 5", { n: { $gt: 5 } }, true],
    ["doc.n > 5", { n: { $gte: 5 } }, false],
    ["5 < doc.n", { n: { $gte: 6, $lt: 9 } }, true],
    ["doc.n <= 5", { n: { $lt: 5 } }, true],
    ["doc.author.id == auth.uid", { "author.id": "me" }, true],
    ["!(doc.hidden == true)", { a: 1 }, false],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: "r1" }, true],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: { $in: ["r1"] } }, true],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", { room: { $in: ["r1", "r2"] } }, false],
    ["auth.uid in get(`database.rooms.${doc.room}`).members", {}, false],
    ["auth.uid in doc.members", { members: "me" }, true],
    ["auth.uid in doc.members", { members: { $in: ["me", "you"] } }, false],
    ["auth.uid in doc.members", { members: "you" }, false],
    ["!(auth.uid in doc.members)", { members: "you" }, false],
    ["!(auth.uid in doc.members)", { members: "me" }, false],
    ["null in doc.members", { members: null }, false],
    ["auth.uid in auth.openid", { members: "me" }, false],
    ["doc.owner == null", { owner: null }, true],
    ["false", { _id: "1" }, false],
    ["auth == null", { _id: "1" }, false],
    ["doc[auth.uid] == 1", { me: 1 }, true],
    ["doc[auth.uid] == 1", { you: 1 }, false],
    ["true", { a: { $in: Array.from({ length: 200 }, (_, n) => n) } }, true],
    ["true", { $or: Array.from({ length: 200 }, (_, n) => ({ a: n })) }, true],
    ["doc.a != 'x'", { a: { $in: Array.from({ length: 200 }, (_, n) => n) } }, false],
    ["doc.b == 1", { b: 1, $and: Array.from({ length: 9 }, (_, n) => ({ $or: [{ a: n }, { c: n }] })) }, true],
  ])("%s with %j: %s", (rule, input, expected) => {
    expect(may(rule, input)).toBe(expected);
  });

  it("says which fields it must name", () => {
    const permission = { rules: { read: parseRule("doc._openid == auth.uid && doc.a.b > 1") } };
    expect(() => authorize(permission, "read", {})).toThrow(
      'no permission to read these documents of "notes": the query must say enough of _openid, a.b for its rule',
    );
    expect(() => authorize(permission, "delete", {})).toThrow('to delete these documents of "notes"');
  });

  it("that is allowed gives documents that the rule allows, except lists in a field, which are asked about anyway", () => {
    const rules = [
      "doc._openid == auth.uid",
      "doc.a > 1",
      "doc.a != 2",
      "doc.a == 'x' || doc.b == 1",
      "!(doc.a == 1)",
      "doc.a in [1, 2] && doc._openid != 'you'",
    ].map(parseRule);
    let held = 0;
    const part = fc.constantFrom(
      ...[{ _openid: "me" }, { _openid: { $ne: "you" } }, { a: { $gt: 1 } }, { a: { $gte: 2 } }, { a: { $ne: 2 } }],
      ...[
        { a: "x" },
        { b: 1 },
        { a: { $in: [1, 2] } },
        { a: { $nin: [1, 2] } },
        { a: { $lt: 3 } },
        { b: { $exists: true } },
      ],
    );
    const joined = fc.array(fc.oneof(part, part, part, query), { minLength: 1, maxLength: 3 });
    const asked = fc.oneof(
      query,
      joined.map(($and) => ({ $and })),
      fc.array(part, { minLength: 2, maxLength: 2 }).map(($or) => ({ $or })),
    );
    const values = fc.constantFrom(null, 1, 2, 3, "x", true);
    const one = fc.record({ _id: fc.constant("1"), _openid: fc.constantFrom("me", "you"), a: values, b: values });
    const documents = fc.array(fc.oneof(document, one, one), { minLength: 5, maxLength: 15 });
    fc.assert(
      fc.property(fc.constantFrom(...rules), asked, documents, (rule, input, documents) => {
        if (JSON.stringify(input).includes('"_id"')) return;
        try {
          authorizeQuery({ rules: { read: rule } }, "read", condition(input), request(), "notes");
        } catch {
          return;
        }
        const match = compileMatch(condition(input));
        for (const one of documents.filter((one) => match(one) && !Array.isArray(one.a) && !Array.isArray(one.b))) {
          held++;
          expect(mayDo({ rules: { read: rule } }, "read", one, request())).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(held).toBeGreaterThan(20);
  });
});

it("rules deny by default: an action without a rule, and whatever a rule cannot say", () => {
  const permission = { rules: { read: parseRule("true") } };
  for (const action of ["create", "update", "delete"] as const)
    expect(mayDo(permission, action, {}, request())).toBe(false);
  expect(mayDo({ rules: {} }, "read", {}, request())).toBe(false);
  const texts = fc.array(
    fc.constantFrom(
      "doc.a",
      "doc.b.c",
      "auth.openid",
      "request.data",
      "request.x",
      "get('database.rooms.none')",
      "null",
      "0",
      "''",
    ),
    { minLength: 1, maxLength: 4 },
  );
  // None of these is true, so no conjunction of them is.
  fc.assert(
    fc.property(texts, fc.constantFrom(" && ", " || "), (parts, joint) => {
      expect(allows(parts.join(joint), {})).toBe(false);
    }),
  );
});

it("get() names what is not read yet, all at once, and at most 10 documents for a decision", () => {
  const known = new Map<string, Document | undefined>();
  const asked: string[][] = [];
  const decide = (rule: string, doc: Fields = {}): boolean => {
    for (;;) {
      try {
        return holds(parseRule(rule), { auth: me, doc: { document: doc }, now }, (collection, id) => {
          if (!known.has(id)) throw new NotRead([{ collection, id }]);
          return known.get(id);
        });
      } catch (error) {
        if (!(error instanceof NotRead)) throw error;
        asked.push(error.documents.map(({ id }) => id));
        for (const { collection, id } of error.documents) known.set(id, lookup(collection, id));
      }
    }
  };
  expect(decide("get('database.rooms.r1').next == 'r2' && get('database.rooms.r2').owner == 'me'")).toBe(true);
  expect(decide("get(`database.rooms.${get('database.rooms.r1').next}`).owner == auth.uid")).toBe(true);
  expect(asked).toEqual([["r1", "r2"]]);
  expect(decide("get('database.rooms.none') == null")).toBe(true);
  expect(asked).toEqual([["r1", "r2"], ["none"]]);
  expect(maxGetDocuments).toBe(10);
});

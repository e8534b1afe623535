/** Bad input to live data: nothing is thrown but errors for the caller, and nothing takes long. */
import fc from "fast-check";
import { AppError } from "../../shared/errors.ts";
import { aggregate, parsePipeline } from "../../shared/live/aggregate.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { narrow, satisfies } from "../../shared/live/narrow.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { parseSelection, select } from "../../shared/live/select.ts";
import { applyUpdate, parseUpdate } from "../../shared/live/update.ts";
import { decodeFields } from "../../shared/live/wire_value.ts";
import { context, document, now, query, update } from "./_arbitrary.ts";

const words = [
  ..."$eq $ne $gt $in $nin $all $and $or $nor $not $elemMatch $regex $options $exists $size $mod $expr $date $numberInt".split(
    " ",
  ),
  ..."$set $unset $inc $push $each $position $slice $sort $pull $rename $bit and or $addToSet $pop $where $near".split(
    " ",
  ),
  ..."$match $group $project $unwind $bucket groupBy boundaries $sum $map input as in $cond $switch branches case then".split(
    " ",
  ),
  ..."$concat $dateToString format date $arrayElemAt $filter cond $convert to $slice $getField field $toDate $round".split(
    " ",
  ),
  ..."a b _id _openid a.b a.0 offset $regularExpression pattern options __proto__ constructor toString length".split(
    " ",
  ),
];
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    1e308,
    0.5,
    "",
    "$a",
    "$$ROOT",
    "$$this",
    "x",
    "(",
    "\\",
    "\0",
    "{openid}",
  ),
  fc.constantFrom<unknown>([], {}, "1", "%Y", "$a.b", "a+", undefined, Number.NaN, "$", "$$", "a.", "."),
  fc.string({ maxLength: 4 }),
  fc.double(),
);
/** JSON of the words that mean something, in any order. */
const noise: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "medium", maxDepth: 6 },
    leaf,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words), tie("any"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any;

/** Right input with one part replaced by noise. */
const spoilt = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(right, noise, fc.infiniteStream(fc.nat(9))).map(([value, bad, choices]) => {
    const place = (one: unknown): unknown => {
      const turn = choices.next().value ?? 0;
      if (typeof one !== "object" || one === null || turn === 0) return bad;
      const names = Object.keys(one);
      const name = names[turn % Math.max(1, names.length)];
      if (name === undefined) return bad;
      const changed = place((one as Record<string, unknown>)[name]);
      return Array.isArray(one)
        ? one.map((inner, nth) => (String(nth) === name ? changed : inner))
        : { ...one, [name]: changed };
    };
    return place(value);
  });

const stages = fc.array(
  fc.oneof(
    query.map(($match) => ({ $match })),
    fc.constantFrom<unknown>(
      { $group: { _id: "$a", n: { $sum: "$b" } } },
      { $project: { a: 1, x: { $concat: ["$a", "x"] } } },
      { $unwind: "$a" },
      { $addFields: { x: { $cond: [{ $gt: ["$a", 1] }, { $toString: "$b" }, "$$ROOT"] } } },
      { $addFields: { x: { $map: { input: "$a", as: "e", in: { $add: ["$$e", 1] } } } } },
      { $bucket: { groupBy: "$a", boundaries: [0, 1, 2], default: "x" } },
      { $sort: { a: -1 } },
      { $replaceRoot: { newRoot: { $mergeObjects: ["$a", "$$ROOT"] } } },
    ),
  ),
  { maxLength: 4 },
);

/** Runs it; whatever it throws must be for the caller, and must not be an internal error. */
function tried(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.status).toBeLessThan(500);
    expect(error.message.length).toBeLessThan(1_000);
    return false;
  }
}

const documents = fc.array(document, { maxLength: 4 });

it("noise as a query, with order, limits and projection, is answered or refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(noise, spoilt(query)),
      fc.oneof(fc.constant(undefined), noise),
      fc.oneof(fc.constant(undefined), noise),
      documents,
      (input, order, projection, all) => {
        tried(() => select(all, parseSelection({ query: input, order, projection }, context)));
        tried(() => {
          const condition = parseQuery(input, context);
          const match = compileMatch(condition);
          const narrowed = narrow(condition, ["a", "b", "a.b"]);
          for (const one of all) if (match(one)) expect(satisfies(one, narrowed)).toBe(true);
        });
      },
    ),
    { numRuns: 2_000 },
  );
});

it("noise as an update or a document is applied or refused", () => {
  let applied = 0;
  fc.assert(
    fc.property(fc.oneof(noise, spoilt(update)), document, (input, before) => {
      tried(() => decodeFields(input, now));
      if (tried(() => applyUpdate(parseUpdate(input, context), before))) applied++;
    }),
    { numRuns: 2_000 },
  );
  expect(applied).toBeGreaterThan(50);
});

it("noise as a pipeline is run or refused, within its steps", () => {
  let ran = 0;
  fc.assert(
    fc.property(fc.oneof(stages, spoilt(stages)), documents, (input, all) => {
      if (tried(() => aggregate(all, parsePipeline(input, context), 50_000))) ran++;
    }),
    { numRuns: 2_000 },
  );
  expect(ran).toBeGreaterThan(50);
});

it("names of Object.prototype stay what they are", () => {
  fc.assert(
    fc.property(fc.oneof(noise, spoilt(update)), document, (input, before) => {
      tried(() => applyUpdate(parseUpdate(input, context), before));
      tried(() => parseQuery(input, context));
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as { a?: unknown }).a).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

/** Aggregation: the common stages, and what is refused or ends. */
import { AppError, InvalidInput, NotSupported } from "../../shared/errors.ts";
import { aggregate, parsePipeline } from "../../shared/live/aggregate.ts";
import { maxStages } from "../../shared/live/limits.ts";
import type { Document } from "../../shared/live/value.ts";
import { context } from "./_arbitrary.ts";

const documents: readonly Document[] = [
  { _id: "1", shop: "a", n: 3, tags: ["x", "y"], at: new Date(0) },
  { _id: "2", shop: "a", n: 1, tags: ["x"], at: new Date(86_400_000) },
  { _id: "3", shop: "b", n: 2, tags: [], at: new Date(0) },
];
const run = (...stages: object[]) => aggregate(documents, parsePipeline(stages, context));

it.each<[stages: object[], expected: unknown]>([
  [[{ $match: { shop: "b" } }, { $project: { n: 1 } }], [{ _id: "3", n: 2 }]],
  [
    [{ $group: { _id: "$shop", sum: { $sum: "$n" }, ids: { $push: "$_id" } } }, { $sort: { _id: 1 } }],
    [
      { _id: "a", sum: 4, ids: ["1", "2"] },
      { _id: "b", sum: 2, ids: ["3"] },
    ],
  ],
  [[{ $group: { _id: null, most: { $max: "$n" }, mean: { $avg: "$n" } } }], [{ _id: null, most: 3, mean: 2 }]],
  [
    [{ $sort: { n: { $numberInt: "1" } } }, { $skip: 1 }, { $limit: { $numberInt: "1" } }, { $project: { _id: 1 } }],
    [{ _id: "3" }],
  ],
  [
    [{ $unwind: "$tags" }, { $sortByCount: "$tags" }],
    [
      { _id: "x", count: 2 },
      { _id: "y", count: 1 },
    ],
  ],
  [[{ $count: "n" }], [{ n: 3 }]],
  [
    [
      { $addFields: { twice: { $multiply: ["$n", 2] }, day: { $dateToString: { date: "$at", format: "%Y-%m-%d" } } } },
      { $match: { twice: { $gt: 4 } } },
      { $project: { _id: 0, twice: 1, day: 1 } },
    ],
    [{ twice: 6, day: "1970-01-01" }],
  ],
  [
    [
      { $match: { _id: "1" } },
      { $replaceRoot: { newRoot: { k: { $concat: ["$shop", "-", { $toUpper: "$shop" }] } } } },
    ],
    [{ k: "a-A" }],
  ],
  [[{ $match: { _id: "1" } }, { $unset: ["tags", "at"] }], [{ _id: "1", shop: "a", n: 3 }]],
  [
    [{ $bucket: { groupBy: "$n", boundaries: [0, 2, 5], output: { count: { $sum: 1 } } } }],
    [
      { _id: 0, count: 1 },
      { _id: 2, count: 2 },
    ],
  ],
  [
    [{ $bucketAuto: { groupBy: "$n", buckets: 2 } }],
    [
      { _id: { min: 1, max: 3 }, count: 2 },
      { _id: { min: 3, max: 3 }, count: 1 },
    ],
  ],
  [
    [
      { $match: { _id: "1" } },
      { $project: { _id: 0, big: { $map: { input: "$tags", as: "t", in: { $toUpper: "$$t" } } } } },
    ],
    [{ big: ["X", "Y"] }],
  ],
])("the stages %j give %j", (stages, expected) => {
  expect(run(...stages)).toEqual(expected);
});

it("a first $match narrows what is read", () => {
  expect(parsePipeline([{ $match: { shop: "a" } }], context).condition).toEqual({
    path: "shop",
    test: { op: "eq", value: "a" },
  });
  expect(parsePipeline([{ $limit: 1 }, { $match: { shop: "a" } }], context).condition).toEqual({ all: [] });
});

it.each<[message: string, error: typeof InvalidInput | typeof NotSupported, stages: unknown]>([
  ["$lookup is not supported", NotSupported, [{ $lookup: {} }]],
  ["$out is not supported", NotSupported, [{ $out: "x" }]],
  ["$geoNear is not supported", NotSupported, [{ $geoNear: {} }]],
  ["$sample is not supported", NotSupported, [{ $sample: { size: 1 } }]],
  ['"$foo" is not a known stage', InvalidInput, [{ $foo: 1 }]],
  ["is not a known stage", InvalidInput, [{ toString: 1 }]],
  ["is not a known stage", InvalidInput, JSON.parse('[{"__proto__":1}]')],
  ["one operator", InvalidInput, [{ $limit: 1, $skip: 1 }]],
  ["one operator", InvalidInput, [null]],
  [`at most ${maxStages} stages`, InvalidInput, Array(maxStages + 1).fill({ $limit: 1 })],
  ["$accumulator is not supported", NotSupported, [{ $group: { _id: 1, x: { $accumulator: {} } } }]],
  ["$reduce is not supported", NotSupported, [{ $project: { x: { $reduce: {} } } }]],
  ["$function is not supported", NotSupported, [{ $addFields: { x: { $function: {} } } }]],
  ["$rand is not supported", NotSupported, [{ $addFields: { x: { $rand: {} } } }]],
  ["what to group by", InvalidInput, [{ $group: {} }]],
  ["begins with $", InvalidInput, [{ $unwind: "tags" }]],
  ["an integer from 1", InvalidInput, [{ $limit: 0 }]],
  ["reserved", InvalidInput, [{ $addFields: { "a.__proto__.b": 1 } }]],
  ["a list of stages", InvalidInput, {}],
])("a pipeline is refused as %j", (message, error, stages) => {
  const parse = () => parsePipeline(stages, context);
  expect(parse).toThrow(error);
  expect(parse).toThrow(message);
});

it("a value that does not fit its operator is the caller's error", () => {
  const wrong = [{ $addFields: { x: { $divide: ["$tags", "$shop"] } } }, { $addFields: { x: { $slice: "$n" } } }];
  for (const stage of wrong) {
    try {
      run(stage);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
    }
  }
  expect(() => run({ $replaceRoot: { newRoot: "$n" } })).toThrow(InvalidInput);
});

describe("an aggregation that grows without bound ends by its steps", () => {
  const doubled = { $concatArrays: ["$l", "$l"] };
  it.each<[what: string, stages: object[]]>([
    ["lists that double", Array(maxStages).fill({ $addFields: { l: doubled } })],
    ["texts that double", Array(maxStages).fill({ $addFields: { s: { $concat: ["$s", "$s", "$s", "$s"] } } })],
    ["objects that share their parts", Array(maxStages).fill({ $addFields: { l: ["$l", "$l", "$l"] } })],
    [
      "a product of lists",
      Array(8)
        .fill({ $addFields: { x: "$l" } })
        .flatMap((one) => [one, { $unwind: "$x" }]),
    ],
    [
      "a list in a list",
      [{ $addFields: { x: { $map: { input: "$l", as: "a", in: { $map: { input: "$l", as: "b", in: "$$a" } } } } } }],
    ],
  ])("%s", (_, stages) => {
    const one: Document = { _id: "1", l: Array(2_000).fill(1), s: "x".repeat(10_000) };
    expect(() => aggregate([one], parsePipeline(stages, context), 100_000)).toThrow("takes more than");
  });
});

/** Bounds of live data. All of them are counts, so that they hold on a slow machine as on a fast one. */

/** A document as JSON, its dates encoded. */
export const maxDocumentBytes = 24 * 1024;
/** Levels of objects and arrays in a document. */
export const maxDocumentDepth = 20;
/** Characters of a field's name, and of a path of names with dots. */
export const maxNameLength = 120;
export const maxPathLength = 400;

/** Operators, values and list members of one query together. */
export const maxQueryNodes = 1_000;
/** Levels of a query: logic in logic, `$elemMatch` in `$elemMatch`. */
export const maxQueryDepth = 12;
/** Values of one `$in`, `$nin` or `$all`. */
export const maxListed = 500;
/** Characters of a regular expression, and instructions of its program. */
export const maxPatternLength = 200;
export const maxPatternProgram = 200;
/** Fields of `orderBy`. */
export const maxOrderFields = 8;
/** Documents of one answer. A watch has `maxWatched`. */
export const maxLimit = 1_000;
export const defaultLimit = 100;
export const maxSkip = 1_000_000;
export const maxWatched = 5_000;
/** Fields of a projection. */
export const maxProjected = 100;

/** Paths of one update, and elements that `$push` or `$addToSet` add at once. */
export const maxUpdatePaths = 200;
export const maxPushed = 500;
/** How far behind an array's end an element may be set; those between become null. */
export const maxPadding = 100;

/** Stages of an aggregation, and documents that go in. */
export const maxStages = 20;
export const maxAggregated = 5_000;
/** Buckets of `$bucketAuto`, boundaries of `$bucket`. */
export const maxBuckets = 100;
/** Steps of one evaluation: one for each operator, and one for each value of each result. */
export const maxSteps = 1_000_000;
/** Steps of a query on one document: one for each value that is tested, and those of its `$expr`. */
export const maxMatchSteps = 200_000;
/** Steps of a query on all documents that one read looks at, and on those that are looked at in one go, such as under a lock. */
export const maxReadSteps = 10_000_000;
export const maxSteadySteps = 2_000_000;
/** So many steps of a query, and whoever else waits for the processor has a turn. */
export const sliceSteps = 20_000;
/** Steps of `$expr` on one document. */
export const maxExpressionSteps = 20_000;

/** A rule's text, its levels, its calls of `get`, how deep they may stand in each other, and documents they may read. */
export const maxRuleLength = 1_024;
export const maxRuleDepth = 32;
export const maxGets = 3;
export const maxGetDepth = 2;
export const maxGetDocuments = 10;
/** Alternatives of a query that a rule is held against, one by one. */
export const maxAlternatives = 64;

/** Collections of one declaration, and indexed fields of one collection. */
export const maxCollections = 100;
export const maxIndexes = 8;
/** Characters of a text that an index key keeps. */
export const maxKeyCharacters = 40;

/** Documents that one read looks at, where no index narrows it down. */
export const maxExamined = 100_000;
/** Characters of documents that one read keeps in memory. */
export const maxKeptCharacters = 64_000_000;
/** Documents that one write adds, changes or removes, and their characters before and after. */
export const maxWritten = 1_000;
export const maxWrittenCharacters = 8_000_000;
/** Values of indexed fields of the documents of one write. */
export const maxKeysWritten = 20_000;
/** Documents that one transaction reads and writes. */
export const maxInTransaction = 500;
/** Characters of what a transaction has read and is to write. */
export const maxTransactionCharacters = 2_000_000;
/** How long a transaction may take. */
export const transactionMs = 30_000;

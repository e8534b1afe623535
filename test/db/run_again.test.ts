/** Statements that look something up for each row of a derived table, run again and again on one connection, as prepared ones are. */
import { readDocuments, readDocumentsChanged } from "../../db/documents.ts";
import { readChanged, readStale } from "../../db/streams.ts";
import { readPositionsOfWatch } from "../../db/watches.ts";
import { onEveryDialect, type TestDatabase } from "../_engines.ts";

onEveryDialect((engine) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await engine.open({ maxConnections: 1 });
  });
  afterAll(() => database.remove());

  const page = { after: undefined, descending: false, limit: 20 };
  const keyed = { fields: [{ field: "n", keys: ["a", "b"] }] };
  it.each([
    ["streams that have changed", () => readChanged(database.dialect, 0)],
    ["streams that are behind", readStale],
    ["documents that have changed", () => readDocumentsChanged("notes", 0)],
    ["documents by several keys", () => readDocuments("notes", keyed, page)],
    ["positions of a watch", () => readPositionsOfWatch("c", "w")],
  ])("%s: each time the same answer", async (_, statement) => {
    for (let time = 1; time <= 5; time++) expect([time, await database.read([statement()])]).toEqual([time, [[]]]);
  });
});

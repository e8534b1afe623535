/** collections.yml at a start: read from its place, and refused with each error's line. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CollectionsWrong, declaredIn, readCollections, readCollectionsFile } from "../../cli/collections_file.ts";
import { checkCollections } from "../../scripts/check_collections.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { testKeys } from "../_house.ts";
import { cleanUp, newHome, orderbell } from "./_cli.ts";

afterAll(cleanUp);

async function fileOf(text: string | Uint8Array): Promise<string> {
  const path = join(await newHome(), "mine.yml");
  await writeFile(path, text);
  return path;
}

const wrong = "notes:\n  permission: PUBLIC\nrooms:\n  rules:\n    read: doc.a ==\n";
const errorsIn = (path: string) =>
  [
    `${path}, line 2: the permission is one of READONLY, PRIVATE, ADMINWRITE, ADMINONLY`,
    `${path}, line 5: the rule ends too early, at character 9 of the rule`,
  ].join("\n");

it("the project's own collections are declared, and are what npm run check looks at", () => {
  expect(readCollections({})).toEqual(parseCollections(readFileSync("collections.yml", "utf8")).collections);
  expect(checkCollections()).toEqual([]);
  expect(checkCollections(() => ({ path: "collections.yml", text: wrong }))).toEqual(
    errorsIn("collections.yml").split("\n"),
  );
});

it("COLLECTIONS_FILE names another file; an empty value is none", async () => {
  const path = await fileOf("rooms: { permission: READONLY }");
  expect([...readCollections({ COLLECTIONS_FILE: path }).keys()]).toEqual(["rooms"]);
  expect(readCollections({ COLLECTIONS_FILE: "" })).toEqual(readCollections({}));
});

it("a project without the file has no collections, and a file that is named must be there", async () => {
  const nowhere = join(await newHome(), "none.yml");
  expect(declaredIn(readCollectionsFile({}, nowhere)).size).toBe(0);
  expect(() => readCollections({ COLLECTIONS_FILE: nowhere })).toThrow(
    new CollectionsWrong(`${nowhere} cannot be read (ENOENT); COLLECTIONS_FILE says where the collections are`),
  );
  const binary = await fileOf(Uint8Array.of(0xff, 0xfe, 0x61));
  expect(() => readCollections({ COLLECTIONS_FILE: binary })).toThrow(`${binary} is not UTF-8`);
});

it.each(["start", "serve"])(
  "orderbell %s ends with 2 and a sentence for each error, before it opens anything",
  async (command) => {
    const path = await fileOf(wrong);
    const environment = {
      ORDERBELL_HOME: await newHome(),
      COLLECTIONS_FILE: path,
      ...(command === "serve" ? { ...testKeys, DATABASE_URL: "postgres://127.0.0.1:1/none" } : {}),
    };
    expect(await orderbell([command], { environment })).toEqual({ code: 2, out: "", err: `${errorsIn(path)}\n` });
  },
);

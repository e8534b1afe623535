/** files.yml: what it declares, and each error with its line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PurposesWrong, readPurposes, readPurposesFile } from "../../cli/purposes_file.ts";
import { checkPurposes } from "../../scripts/check_purposes.ts";
import { parsePurposes } from "../../shared/files/purposes.ts";
import { builtInPurposes } from "../../shared/purpose.ts";

const avatar = `avatar:
  types: [jpg, png]
  maxBytes: 1 MB
  perUser: { files: 10, bytes: 5 MB }
  total: { bytes: 10 GB }
  visibility: [public, private]
  who: [wechat, own]
`;

it("a purpose is read with its sizes, beside those that are built in", () => {
  const { purposes, errors } = parsePurposes(avatar);
  expect(errors).toEqual([]);
  expect([...purposes.keys()]).toEqual([...builtInPurposes.map(({ name }) => name), "avatar"]);
  expect(purposes.get("avatar")).toEqual({
    name: "avatar",
    types: ["jpg", "png"],
    members: [],
    maxBytes: 1_048_576,
    perUser: { files: 10, bytes: 5_242_880 },
    total: { bytes: 10_737_418_240 },
    visibility: ["public", "private"],
    who: ["wechat", "own"],
    unusedDays: null,
  });
});

it("a built-in purpose can be declared anew", () => {
  const { purposes } = parsePurposes(avatar.replace("avatar", "dish").concat("  unusedDays: 3\n"));
  expect(purposes.get("dish")).toMatchObject({ maxBytes: 1_048_576, unusedDays: 3 });
});

it("an empty text declares what is built in", () => {
  for (const text of ["", "# nothing\n"])
    expect([...parsePurposes(text).purposes.values()]).toEqual([...builtInPurposes]);
});

const changed = (from: string, to: string) => avatar.replace(from, to);

it.each([
  ["[", ["line 1: Flow sequence must end with a ]"]],
  ["- a", ["line 1: the file is not a list of names with values"]],
  ["avatar: 5", ['line 1: purpose "avatar" is not a list of names with values']],
  [changed("avatar:", "7up:"), ['line 1: "7up" is not a name: a letter, then letters, digits, - and _, at most 40']],
  [
    changed("[jpg, png]", "[jpg, svg]"),
    [expect.stringContaining('line 2: "svg" is none of types: there are jpg, png')],
  ],
  [changed("[jpg, png]", "[]"), [expect.stringContaining("line 2: types is a list of jpg, png")]],
  [changed("1 MB", "1 mb"), ['line 3: "maxBytes" is a number of bytes, such as 4096, 200 KB, 2 GB; at most 156 GB']],
  [changed("1 MB", "999 TB"), ['line 3: "maxBytes" is a number of bytes, such as 4096, 200 KB, 2 GB; at most 156 GB']],
  [changed("files: 10, ", ""), ["line 4: perUser has no files"]],
  [changed("files: 10", "files: 0"), ['line 4: "files" is an integer from 1 to 10000000']],
  [
    changed("{ bytes: 10 GB }", "{ size: 10 GB }"),
    ["line 5: total has no bytes", 'line 5: "size" is unknown: there is bytes'],
  ],
  [
    changed("public, private", "public, secret"),
    ['line 6: "secret" is none of visibility: there are private, unlisted, public'],
  ],
  [
    changed("wechat, own", "everybody"),
    ['line 7: "everybody" is none of who: there are guest, wechat, own, owner, staff, key'],
  ],
  [changed("  who: [wechat, own]\n", ""), ['line 1: purpose "avatar" has no who']],
  [
    changed("who:", "whom:"),
    [
      'line 1: purpose "avatar" has no who',
      'line 7: "whom" is unknown: there are types, members, maxBytes, perUser, total, visibility, who, unusedDays',
    ],
  ],
  [avatar.concat("  unusedDays: soon\n"), ['line 8: "unusedDays" is an integer from 1 to 3650']],
  [avatar.concat("  members: [vtt]\n  unusedDays: 3\n"), ["line 9: files with members have no unusedDays"]],
])("what is wrong in %j is named with its line, and nothing is declared", (text, errors) => {
  const declaration = parsePurposes(text);
  expect(declaration.errors.toSorted()).toEqual((errors as string[]).toSorted());
  expect(declaration.purposes.size).toBe(0);
});

describe("the file", () => {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-purposes-"));
  const path = join(folder, "own.yml");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is the project's own, which npm run check holds to be right", () => {
    expect(readPurposes({})).toEqual(parsePurposes(readFileSync("files.yml", "utf8")).purposes);
    expect(checkPurposes()).toEqual([]);
    expect(checkPurposes(() => ({ path: "files.yml", text: "- a" }))).toEqual([
      "files.yml, line 1: the file is not a list of names with values",
    ]);
  });

  it("is another one where FILES_FILE says so, and its errors name it", () => {
    writeFileSync(path, avatar);
    expect(readPurposes({ FILES_FILE: path }).has("avatar")).toBe(true);
    expect(readPurposes({ FILES_FILE: "" })).toEqual(readPurposes({}));
    writeFileSync(path, avatar.replace("jpg", "exe"));
    expect(() => readPurposes({ FILES_FILE: path })).toThrow(new RegExp(`^${path}, line 2: "exe" is none of types`));
    writeFileSync(path, Buffer.from([0xff]));
    expect(() => readPurposes({ FILES_FILE: path })).toThrow(new PurposesWrong(`${path} is not UTF-8`));
  });

  it("may be absent, unless it was named", () => {
    const nowhere = join(folder, "nowhere.yml");
    expect(readPurposesFile({}, nowhere).text).toBe("");
    expect(() => readPurposes({ FILES_FILE: nowhere })).toThrow(
      `${nowhere} cannot be read (ENOENT); FILES_FILE says where the purposes of files are`,
    );
  });
});

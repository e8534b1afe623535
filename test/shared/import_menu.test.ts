/** Import of a menu file: a valid one whole, an invalid one with every error at its line. */
import { MenuInvalid } from "../../shared/errors.ts";
import { parseMenu } from "../../shared/menu.ts";
import { readMenuFile } from "../../shared/shop/import_menu.ts";
import { testMenu } from "../_house.ts";

function errorsOf(text: string, format: "json" | "csv"): readonly string[] {
  try {
    readMenuFile(text, format);
  } catch (error) {
    expect(error).toBeInstanceOf(MenuInvalid);
    return (error as MenuInvalid).extra.errors as string[];
  }
  throw new Error("it was taken");
}

describe("JSON", () => {
  it("is taken with a byte order mark, and refused where a field stands twice", () => {
    expect(readMenuFile(`\uFEFF${JSON.stringify(testMenu)}`, "json")).toEqual(parseMenu(testMenu));
    expect(errorsOf('{\n"categories": [],\n"categories": [],\n"dishes": []}', "json")).toEqual([
      "line 3: this field stands twice in its object",
    ]);
  });

  it("is a menu as the menu route takes it", () => {
    expect(readMenuFile(JSON.stringify(testMenu), "json")).toEqual(parseMenu(testMenu));
    expect(readMenuFile(JSON.stringify(testMenu, null, 2).replaceAll("\n", "\r\n"), "json")).toEqual(
      parseMenu(testMenu),
    );
  });

  it.each([
    ["a comma too many", '{\n"categories": [],\n"dishes": [\n1,\n]\n}\n\n\n', 5],
    ["a comma too few", '{\n"categories": []\n"dishes": []\n}\n\n', 3],
    ["a word", '{\n"categories": none,\n"dishes": []\n}\n', 2],
    ["half a word", '{\n"categories": tru\n,"dishes": []\n}\n', 2],
    ["other quotes", "{\n'categories': []\n}\n", 2],
    ["quotes of a word processor", "{\n\n“categories”: []\n}\n", 3],
    ["a comment", '{\n// the menu\n"categories": []\n}\n', 2],
    ["a line break in a text", '{\n"categories": [{"id": "a\nb"}]\n}\n', 2],
    ["an unknown escape", '{\n\n\n"categories": "\\x"}\n\n', 4],
    ["something behind the end", '{"categories": []}\n\n}\n\n', 3],
    ["no end", '{\n"categories": [\n', 3],
    ["nothing", "", 1],
    ["YAML", "categories:\n  - id: a\n", 1],
  ])("with %s is refused at its line", (_, text, line) => {
    expect(errorsOf(text, "json").map((error) => error.replace(": it has no comments", ""))).toEqual([
      `line ${line}: this is not JSON`,
    ]);
  });

  it("is refused with all errors of shape, each at its line, in order", () => {
    const text = `{
"categories": [
  {"id": "noodles", "names": {"zh": "面"}},
  {"id": "b c", "names": {"zh": "面"}},
  {"id": "drinks", "names": {}}
],
"dishes": [
  {"id": "beef", "category": "noodles", "names": {"zh": "面"}},
  {"id": "bun", "category": "noodles", "names": {"zh": "包"},
    "priceFen": 1.5},
  {"id": "tea", "category": "noodles", "names": {"zh": "茶"}, "priceFen": 1, "price": 2}
]
}`;
    const errors = errorsOf(text, "json");
    expect(errors.map((error) => /^line (\d+): ([\w.]*)/.exec(error)?.slice(1))).toEqual([
      ["4", "categories.1.id"],
      ["5", "categories.2.names"],
      ["8", "dishes.0.priceFen"],
      ["10", "dishes.1.priceFen"],
      ["11", "dishes.2.price"],
    ]);
    expect(errors[4]).toBe("line 11: dishes.2.price: is not a known field");
  });

  it("is refused with all contradictions, each at its line", () => {
    const text = `{"categories": [{"id": "noodles", "names": {"zh": "面"}}],
"dishes": [
{"id": "beef", "category": "noodles", "names": {"zh": "面"}, "priceFen": 100, "options": [
  {"id": "spice", "names": {"zh": "辣"}, "min": 2, "max": 1, "choices": [{"id": "a", "names": {"zh": "甲"}, "priceFen": 0}]}]},
{"id": "beef", "category": "drinks", "names": {"zh": "面"}, "priceFen": 100},
{"id": "cheap", "category": "noodles", "names": {"zh": "面"}, "priceFen": 100, "options": [
  {"id": "less", "names": {"zh": "少"}, "min": 0, "max": 1, "choices": [
  {"id": "a", "names": {"zh": "甲"}, "priceFen": -101, "default": true}, {"id": "b", "names": {"zh": "乙"}, "priceFen": 0, "default": true}]}]}
]}`;
    expect(errorsOf(text, "json")).toEqual([
      'line 4: dish "beef", option "spice": min is more than max',
      'line 4: dish "beef", option "spice": min is more than there are choices',
      'line 5: dish "beef" stands twice',
      'line 5: dish "beef": there is no category "drinks"',
      'line 6: dish "cheap": options can make it cheaper than nothing',
      'line 7: dish "cheap", option "less": more choices are default than max',
    ]);
  });
});

describe("CSV", () => {
  const head = "kind,id,zh,en,price,category,min,max,stock,packing,station,description_zh,available";

  it("is a menu with one thing in a row", () => {
    const text = [
      head,
      "category,noodles,面,Noodles,,,,,,,,,",
      'dish,beef,红烧牛肉面,"Beef, braised",28.5,noodles,,,50,1,hot,"说""好吃""",',
      "option,spice,辣度,,,,1,1,,,,,",
      "choice,mild,微辣,,,,,,,,,,",
      "choice,hot,特辣,,1,,,,,,,,no",
      "option,less,少,,,,0,1,,,,,",
      "choice,half,小份,,-2.05,,,,,,,,yes",
      "",
      "dish, tofu ,豆腐面,,9,noodles,,,0,,,,no",
    ].join("\r\n");
    const choice = (id: string, zh: string, priceFen: number, available = true) => ({
      id,
      names: { zh },
      priceFen,
      available,
    });
    const expected = {
      categories: [{ id: "noodles", names: { zh: "面", en: "Noodles" } }],
      dishes: [
        {
          id: "beef",
          category: "noodles",
          names: { zh: "红烧牛肉面", en: "Beef, braised" },
          description: { zh: '说"好吃"' },
          priceFen: 2_850,
          packingFen: 100,
          dailyStock: 50,
          available: true,
          station: "hot",
          options: [
            {
              id: "spice",
              names: { zh: "辣度" },
              min: 1,
              max: 1,
              choices: [choice("mild", "微辣", 0), choice("hot", "特辣", 100, false)],
            },
            { id: "less", names: { zh: "少" }, min: 0, max: 1, choices: [choice("half", "小份", -205)] },
          ],
        },
        {
          id: "tofu",
          category: "noodles",
          names: { zh: "豆腐面" },
          priceFen: 900,
          packingFen: 0,
          dailyStock: 0,
          available: false,
          options: [],
        },
      ],
    };
    expect(readMenuFile(text, "csv")).toEqual(expected);
    // With the mark that Excel writes, with plain line ends, with and without an end of the last line.
    expect(readMenuFile(`\uFEFF${text}\r\n`, "csv")).toEqual(expected);
    expect(readMenuFile(text.replaceAll("\r\n", "\n"), "csv")).toEqual(expected);
  });

  const menu = (...rows: string[]) =>
    ["kind,id,zh,price,category,min,max,stock,available", "category,noodles,面,,,,,,", ...rows].join("\n");

  it.each([
    ["28", 2_800],
    ["28.5", 2_850],
    ["0.29", 29],
    ["1.15", 115],
    ["0", 0],
    ["1000000", 100_000_000],
    ["￥28", 2_800],
    ["¥ 28.5", 2_850],
    ["28元", 2_800],
    ["２８", 2_800],
    ["RMB 28", 2_800],
    ['"28,50"', 2_850],
    ['"1,200.00"', 120_000],
    ['"1.200,5"', 120_050],
  ])("takes %s yuan for %i fen", (price, fen) => {
    expect(readMenuFile(menu(`dish,a,面,${price},noodles,,,,`), "csv").dishes[0]?.priceFen).toBe(fen);
  });

  it.each(["", "28.505", '"28,505.5.5"', "28.", ".5", "1e3", "28 50", "--1", "(5", "$5", "99999999", "28-30"])(
    "does not take %j for an amount",
    (price) => {
      expect(errorsOf(menu(`dish,a,面,${price},noodles,,,,`), "csv")[0]).toMatch(
        /^line 3: price ".*" is not an amount in yuan, such as 12.50/,
      );
    },
  );

  it.each([
    ["a price below zero", menu("dish,a,面,-1,noodles,,,,"), ["line 3: price: expected at least 0"]],
    ["an option without a dish", menu("option,o,辣,,,1,1,,"), ["line 3: an option stands below its dish"]],
    [
      "a choice without an option",
      menu("dish,a,面,1,noodles,,,,", "choice,c,辣,,,,,,"),
      ["line 4: a choice stands below its option"],
    ],
    [
      "an option without choices",
      menu("dish,a,面,1,noodles,,,,", "option,o,辣,,,0,1,,"),
      ["line 4: choices: expected at least one choice"],
    ],
    [
      "words for numbers",
      menu("dish,a,面,1,noodles,,,many,", "option,o,辣,,,one,-1,,"),
      ['line 3: stock "many" is not a number', 'line 4: min "one" is not a number', 'line 4: max "-1" is not a number'],
    ],
    ["maybe", menu("dish,a,面,1,noodles,,,,maybe"), ['line 3: available "maybe" is neither yes nor no']],
    [
      "an unknown kind",
      menu("soup,a,面,1,noodles,,,,"),
      ['line 3: kind "soup" is none of category, dish, option, choice'],
    ],
    ["a dish twice", menu("dish,a,面,1,noodles,,,,", "dish,a,面,1,noodles,,,,"), ['line 4: dish "a" stands twice']],
    ["an unknown category", menu("dish,a,面,1,drinks,,,,"), ['line 3: dish "a": there is no category "drinks"']],
    ["a row too short", menu("dish,a,面"), ['line 3: price "" is not an amount in yuan, such as 12.50']],
    [
      "a row too long",
      menu("dish,a,面,1,noodles,,,,,,5"),
      ["line 3: column K has no heading, and here it is not empty"],
    ],
    [
      "a column twice",
      "kind,id,zh,price,category,price\ncategory,hot,热,,,\ndish,tofu,豆腐,28,hot,9\n",
      ['line 1: column "price" stands twice: D and F'],
    ],
    ["a name that cannot be seen", menu("dish,a,\u200B,1,noodles,,,,"), ["line 3: names: a name in zh or en"]],
    [
      "a date that was an amount",
      menu("dish,a,面,3月5日,noodles,,,,"),
      [
        'line 3: price "3月5日" is not an amount in yuan, such as 12.50; the spreadsheet has made a date of it: set the column to text',
      ],
    ],
    [
      "a control character",
      menu("dish,a,面\u0001,1,noodles,,,,"),
      ["line 3: column C holds a control character that cannot be seen; type the text again"],
    ],
    ["no rows", "kind,id,zh\n", ["line 1: there is no row in this file"]],
    ["nothing", "", ["line 1: there is no row in this file"]],
    [
      "a line break in a cell before",
      menu('dish,a,"面\n条",1,noodles,,,,', "dish,b,面,x,noodles,,,,"),
      ['line 5: price "x" is not an amount in yuan, such as 12.50'],
    ],
  ])("with %s is refused at its line", (_, text, errors) => {
    expect(errorsOf(text, "csv")).toEqual(errors);
  });

  it("has the choices that are made in advance", () => {
    const text = [
      "类型,编号,名称,价格,最少,最多,默认",
      "分类,noodles,面,,,,",
      "菜品,beef,牛肉面,28,,,",
      "规格,spice,辣度,,1,1,",
      "选择,mild,微辣,,,,是",
      "选择,hot,特辣,,,,",
      "选择,none,不辣,,,,否",
    ].join("\n");
    const [dish] = readMenuFile(text, "csv").dishes;
    expect(dish?.options[0]?.choices.map((choice) => choice.default)).toEqual([true, undefined, false]);
  });

  it("with an unknown column is refused by the column's name", () => {
    expect(errorsOf("kind,id,zh,cost\ncategory,noodles,面,5\n", "csv")[0]).toMatch(
      /^line 1: column D "cost" is none of kind, id, /,
    );
  });

  it("with an unclosed quote is refused at its line", () => {
    const [error] = errorsOf(menu('dish,a,"面,1,noodles,,,,', "dish,b,面,1,noodles,,,,"), "csv");
    expect(error).toMatch(/^line [34]: a quotation mark is opened and not closed/);
  });

  const plain = menu("dish,a,面,28,noodles,,,50,yes", "dish,b,饭,2,noodles,,,,no");
  const expected = readMenuFile(plain, "csv");

  it.each([
    ["empty columns at the end", plain.replaceAll("\n", ",,\n").concat(",,")],
    ["empty rows", plain.replaceAll("\n", "\n,,,,,,,,\n\n")],
    ["semicolons", plain.replaceAll(",", ";")],
    ["tabs", plain.replaceAll(",", "\t")],
    ["Excel's line about the separator", `sep=;\n${plain.replaceAll(",", ";")}`],
    ["line ends of an old Mac", plain.replaceAll("\n", "\r")],
    ["zeros at its end", `${plain}\0\0\0`],
    ["capitals and blanks in the headings", plain.replace("kind,id,zh,price", "Kind, ID ,ZH,Price")],
    ["Chinese headings", plain.replace("kind,id,zh,price,category", "类型,编号,中文名,价格,分类")],
    ["Chinese kinds and words", plain.replaceAll("dish,", "菜品,").replace(",yes", ",是").replace(/,no$/, ",否")],
    ["merged cells for the category", plain.replace("饭,2,noodles", "饭,2,")],
    ["cells that are quoted", plain.replace("面,28", '"面","28"')],
    ["a heading without anything below", plain.replace("available", "available,备注").replaceAll("\ndish", ",\ndish")],
  ])("is taken with %s", (_, text) => {
    expect(readMenuFile(text, "csv")).toEqual(expected);
  });

  it("with line breaks in cells is counted by the line in which a row begins", () => {
    const text = "kind,id,zh,price,category,description_zh\ncategory,hot,热,,,\n";
    const file = `${text}dish,a,面,1,hot,"一\n\n\n二"\n\ndish,b,面,x,hot,\n`;
    expect(errorsOf(file, "csv")).toEqual(['line 8: price "x" is not an amount in yuan, such as 12.50']);
    const taken = readMenuFile(file.replace(",x,", ",2,"), "csv");
    expect(taken.dishes[0]?.description).toEqual({ zh: "一\n\n二" });
  });

  it("with many errors names fifty, and how many more there are", () => {
    const rows = Array.from({ length: 60 }, (_, at) => `dish,d${at},面,x,noodles,,,,`);
    const errors = errorsOf(menu(...rows), "csv");
    expect(errors).toHaveLength(51);
    expect(errors.at(-1)).toBe("and 10 more");
  });

  it("with a cell that looks like a formula is taken for a name and nothing else", () => {
    expect(readMenuFile(menu("dish,a,=1+1,1,noodles,,,,"), "csv").dishes[0]?.names).toEqual({ zh: "=1+1" });
  });
});

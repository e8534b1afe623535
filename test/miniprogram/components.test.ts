/** @jest-environment jsdom */
import { dictionaries } from "../../miniprogram/shop/words.ts";
import { info } from "./_shop.ts";
import { canSimulate, openSimulator, type Simulator } from "./_simulate.ts";

const t = dictionaries.zh;
const beef = info.menu.dishes[0];
const suite = canSimulate ? describe : describe.skip;

suite("the mini-program's components", () => {
  let simulator: Simulator;
  beforeAll(() => {
    simulator = openSimulator();
  });
  afterAll(() => simulator.close());

  test("a stepper emits the wanted number, and stops at its limits", () => {
    const stepper = simulator.component("stepper", { value: 1, min: 0, max: 2, name: "茶", t }, ["change"]);
    stepper.tap("stepper-more");
    stepper.tap("stepper-less");
    expect(stepper.told.map(({ detail }) => detail)).toEqual([{ value: 2 }, { value: 0 }]);
    stepper.close();

    const full = simulator.component("stepper", { value: 2, max: 2, t }, ["change"]);
    full.tap("stepper-more");
    expect(full.told).toEqual([]);
    full.close();

    const none = simulator.component("stepper", { value: 0, t });
    expect(none.find("stepper-less")).toBeUndefined();
    expect(none.find("stepper-value")).toBeUndefined();
    none.close();
  });

  test("a dish with options asks to choose, one without counts, one that is sold out does neither", () => {
    const view = { id: "x", name: "茶", description: "", picture: "", letter: "茶", price: "¥8.00", soldOut: false };
    const options = simulator.component("dish_row", { dish: { ...view, options: true, quantity: 3 }, t }, ["choose"]);
    expect(options.find("dish-badge")?.textContent).toBe("3");
    options.tap("dish-choose");
    expect(options.told).toEqual([{ name: "choose", detail: { dish: "x" } }]);
    options.close();

    const plain = simulator.component("dish_row", { dish: { ...view, options: false, quantity: 0 }, t }, ["change"]);
    plain.tap("stepper-more");
    expect(plain.told).toEqual([{ name: "change", detail: { dish: "x", value: 1 } }]);
    plain.close();

    const out = simulator.component("dish_row", { dish: { ...view, soldOut: true, options: true, quantity: 0 }, t });
    expect(out.text()).toContain("今日售罄");
    expect(out.find("dish-choose") ?? out.find("stepper-more")).toBeUndefined();
    out.close();
  });

  test("a dish whose picture is not there shows its letter, and another picture when it gets one", () => {
    const view = { id: "x", name: "茶", description: "", letter: "茶", price: "¥8.00", soldOut: false, options: false };
    const pictured = (picture: string) => ({ ...view, picture, quantity: 0 });
    const row = simulator.component("dish_row", { dish: pictured("https://api.example.com/pictures/lost.webp"), t });
    expect(row.find("dish-letter")).toBeUndefined();
    row.instance.lose();
    expect(row.find("dish-letter")?.textContent).toBe("茶");
    row.instance.setData({ dish: pictured("https://api.example.com/pictures/new.webp") });
    expect(row.find("dish-letter")).toBeUndefined();
    row.close();
  });

  test("a picture's address is the API's and its path, however both are written", () => {
    const { openOrdering } = simulator.module("shop/ordering");
    const phone = { getStorageSync: () => "", getAppBaseInfo: () => ({ language: "zh_CN" }) };
    const client = { session() {}, onSession() {}, onPending() {} };
    for (const url of ["https://api.example.com", "https://api.example.com/"]) {
      const { picture } = openOrdering({ client, phone, url, shop: "noodle-house" });
      expect(picture("/pictures/a/b.webp")).toBe("https://api.example.com/pictures/a/b.webp");
      expect(picture("pictures/a/b.webp")).toBe("https://api.example.com/pictures/a/b.webp");
      expect(picture("https://cdn.example.com/b.webp")).toBe("https://cdn.example.com/b.webp");
      expect(picture(undefined)).toBe("");
    }
  });

  test("the option sheet enforces the dish's rules while one chooses", () => {
    const sheet = simulator.component("option_sheet", { dish: beef, language: "zh", t }, ["add", "close"]);
    const choices = () => sheet.all("choice").map((element) => element.textContent?.trim());
    const taken = () => sheet.all("choice-taken").map((element) => element.textContent?.trim());
    expect(choices()).toEqual(["微辣", "特辣 +¥1.00", "卤蛋 +¥3.00", "豆干 +¥2.00", "加肉 +¥9.00", "毛肚 暂无"]);
    expect(sheet.all("sheet-rule").map((element) => element.textContent)).toEqual(["选 1 项", "可选，最多 2 项"]);

    sheet.tap("sheet-add");
    expect(sheet.told).toEqual([]);
    expect(sheet.find("sheet-told")?.textContent).toBe("请选择：辣度");

    sheet.tap("choice", 0);
    sheet.tap("choice", 1);
    expect(taken()).toEqual(["特辣 +¥1.00"]);
    // The one that must be cannot be taken away, only exchanged.
    sheet.tap("choice", 1);
    expect(taken()).toEqual(["特辣 +¥1.00"]);
    sheet.tap("choice", 5);
    sheet.tap("choice", 2);
    sheet.tap("choice", 3);
    sheet.tap("choice", 4);
    expect(taken()).toEqual(["特辣 +¥1.00", "卤蛋 +¥3.00", "豆干 +¥2.00"]);
    expect(sheet.find("sheet-told")?.textContent).toBe("最多选 2 项");
    sheet.tap("choice", 3);
    sheet.tap("choice", 4);
    sheet.tap("stepper-more");
    expect(sheet.find("sheet-total")?.textContent).toBe("¥82.00");

    sheet.write("field", " 不要香菜 ");
    sheet.tap("sheet-add");
    const chosen = { spice: ["hot"], extra: ["egg", "beef"] };
    const line = { dish: "beef", chosen, quantity: 2, note: "不要香菜", seenFen: 4_100 };
    expect(sheet.told).toEqual([{ name: "add", detail: line }]);
    sheet.tap("sheet-close");
    expect(sheet.told.at(-1)?.name).toBe("close");
    sheet.close();
  });

  test("the sheet says when its dish sells out meanwhile, keeps what fits a new menu, and drops what does not", () => {
    const sheet = simulator.component("option_sheet", { dish: beef, language: "zh", t }, ["add"]);
    sheet.tap("choice", 1);
    sheet.instance.setData({ dish: { ...beef, priceFen: 3_000 } });
    expect(sheet.find("sheet-total")?.textContent).toBe("¥31.00");
    sheet.instance.setData({ dish: { ...beef, options: [] } });
    expect(sheet.find("sheet-total")?.textContent).toBe("¥28.00");
    sheet.instance.setData({ soldOut: true });
    expect(sheet.find("sheet-add")?.textContent).toBe("今日售罄");
    sheet.tap("sheet-add");
    expect(sheet.told).toEqual([]);
    sheet.close();
  });

  test("the sheet speaks English, and says what a smaller bowl saves", () => {
    const small = { id: "small", names: { zh: "小碗", en: "small" }, priceFen: -200, available: true };
    const bowl = {
      id: "bowl",
      names: { zh: "碗型", en: "Bowl" },
      min: 1,
      max: 1,
      choices: [small, { ...small, id: "large", priceFen: 0 }],
    };
    const dish = { ...beef, options: [...(beef?.options ?? []), bowl] };
    const sheet = simulator.component("option_sheet", { dish, language: "en", t: dictionaries.en });
    expect(sheet.all("choice").at(-2)?.textContent).toBe("small −¥2.00");
    sheet.tap("sheet-add");
    expect(sheet.find("sheet-told")?.textContent).toBe("Please choose: Spice, Bowl");
    expect(sheet.find("sheet-name")?.textContent).toBe("Braised beef noodles");
    expect(sheet.all("sheet-rule").map((element) => element.textContent)).toEqual([
      "choose 1",
      "optional, up to 2",
      "choose 1",
    ]);
    sheet.close();
  });

  test("an order's card shows number, state, dishes and total", () => {
    const card = {
      number: "A017",
      state: "制作中",
      tone: "busy",
      dishes: "牛肉面×2",
      at: "2026-11-21 12:05",
      total: "¥60.00",
    };
    const shown = simulator.component("order_card", { order: card });
    for (const text of Object.values(card).filter((text) => text !== "busy")) expect(shown.text()).toContain(text);
    expect(shown.find("state-busy")).toBeDefined();
    shown.close();
  });
});

import fc from "fast-check";
import type { AppError } from "../../shared/errors.ts";
import { contradictions, type Menu, type ShopMenu } from "../../shared/menu.ts";
import { type Bill, bill, priceOf } from "../../shared/ordering/price.ts";
import * as shape from "../../shared/shape.ts";
import { extrasOf } from "../../web/kitchen/extras_of.ts";
import { testMenu, testSettings } from "../_house.ts";

const shop = (menu: Menu = testMenu): ShopMenu => ({
  id: "s",
  names: { zh: "店" },
  zone: "Asia/Shanghai",
  rolloverMinutes: 240,
  versionAt: 1,
  version: 1,
  settings: testSettings(),
  menu,
  dishes: new Map(menu.dishes.map((dish) => [dish.id, dish])),
  tables: new Map([["t1", "5"]]),
});

const parse = (asked: object): Bill => shape.parse(bill, { shop: "s", service: "pickup", ...asked });
const beef = (options: object[] = [{ option: "spice", choices: ["mild"] }], quantity = 1) => ({
  dish: "beef",
  quantity,
  options,
});

function code(asked: object): string {
  try {
    priceOf(parse(asked), shop());
    return "priced";
  } catch (error) {
    return (error as AppError).code;
  }
}

describe("a price", () => {
  it("adds dish, choices, packing and delivery, in integer fen", () => {
    const options = [
      { option: "spice", choices: ["hot"] },
      { option: "extra", choices: ["tofu", "egg"] },
    ];
    const lines = [beef(options, 3), { dish: "tea", quantity: 2 }];
    expect(priceOf(parse({ lines }), shop())).toMatchObject({
      itemsFen: 3 * (2_800 + 100 + 300 + 200) + 1_600,
      packingFen: 300,
      deliveryFen: 0,
      totalFen: 12_100,
    });
    const delivery = { name: "王小明", phone: "13900001234", address: "测试路" };
    expect(priceOf(parse({ lines: [beef()], service: "delivery", delivery }), shop())).toMatchObject({
      packingFen: 100,
      deliveryFen: 500,
      totalFen: 3_400,
    });
    expect(priceOf(parse({ lines: [beef(undefined, 4)], service: "delivery", delivery }), shop())).toMatchObject({
      deliveryFen: 0,
    });
    expect(priceOf(parse({ lines: [beef()], service: "table", table: "t1" }), shop())).toMatchObject({
      packingFen: 0,
      tableLabel: "5",
      totalFen: 2_800,
    });
  });

  it("keeps the choices in the menu's order with their names", () => {
    const options = [
      { option: "extra", choices: ["tofu", "egg"] },
      { option: "spice", choices: ["mild"] },
    ];
    const [line] = priceOf(parse({ lines: [beef(options)] }), shop()).lines;
    expect(line?.options.map(({ option, choice }) => `${option}.${choice}`)).toEqual([
      "spice.mild",
      "extra.egg",
      "extra.tofu",
    ]);
  });

  it.each<[string, object, string]>([
    ["an unknown dish", { lines: [{ dish: "lobster", quantity: 1 }] }, "DISH_UNAVAILABLE"],
    ["a dish that is off the menu", { lines: [{ dish: "off", quantity: 1 }] }, "DISH_UNAVAILABLE"],
    ["a missing choice", { lines: [beef([])] }, "OPTIONS_INVALID"],
    [
      "two choices where one is allowed",
      { lines: [beef([{ option: "spice", choices: ["mild", "hot"] }])] },
      "OPTIONS_INVALID",
    ],
    [
      "the same choice twice",
      {
        lines: [
          beef([
            { option: "spice", choices: ["mild"] },
            { option: "extra", choices: ["egg", "egg"] },
          ]),
        ],
      },
      "OPTIONS_INVALID",
    ],
    [
      "an option twice",
      {
        lines: [
          beef([
            { option: "spice", choices: ["mild"] },
            { option: "spice", choices: ["hot"] },
          ]),
        ],
      },
      "OPTIONS_INVALID",
    ],
    [
      "an unknown option",
      {
        lines: [
          beef([
            { option: "spice", choices: ["mild"] },
            { option: "gold", choices: ["x"] },
          ]),
        ],
      },
      "OPTIONS_INVALID",
    ],
    ["an unknown choice", { lines: [beef([{ option: "spice", choices: ["volcanic"] }])] }, "OPTIONS_INVALID"],
    [
      "an option of a dish without any",
      { lines: [{ dish: "tea", quantity: 1, options: [{ option: "spice", choices: ["mild"] }] }] },
      "OPTIONS_INVALID",
    ],
    ["a table of nobody", { lines: [beef()], service: "table", table: "nobody" }, "TABLE_UNKNOWN"],
    [
      "delivery below the minimum",
      {
        lines: [{ dish: "tea", quantity: 1 }],
        service: "delivery",
        delivery: { name: "王小明", phone: "13900001234", address: "测试路" },
      },
      "BELOW_MINIMUM",
    ],
    ["another total than was shown", { lines: [beef()], expectedTotalFen: 1 }, "PRICE_CHANGED"],
    ["the total that was shown", { lines: [beef()], expectedTotalFen: 2_900 }, "priced"],
  ])("for %s is %s", (_, asked, expected) => {
    expect(code(asked)).toBe(expected);
  });

  it("is the sum of its parts for whatever can be ordered, and never negative", () => {
    const name = { zh: "菜" };
    const choice = fc.record({
      id: fc.constant(""),
      names: fc.constant(name),
      priceFen: fc.integer({ min: -500, max: 2_000 }),
      available: fc.constant(true),
    });
    const dishes = fc.array(
      fc.record({
        priceFen: fc.integer({ min: 0, max: 50_000 }),
        packingFen: fc.integer({ min: 0, max: 500 }),
        groups: fc.array(
          fc.record({
            min: fc.integer({ min: 0, max: 2 }),
            max: fc.integer({ min: 1, max: 3 }),
            choices: fc.array(choice, { minLength: 1, maxLength: 4 }),
          }),
          { maxLength: 3 },
        ),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(
        dishes,
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 99 }), fc.nat()), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(
          { service: "pickup" },
          { service: "table", table: "t1" },
          { service: "delivery", delivery: { name: "王", phone: "13900001234", address: "测试路 1 号" } },
        ),
        (made, wanted, how) => {
          const menu: Menu = {
            categories: [{ id: "c", names: name }],
            dishes: made.map(({ priceFen, packingFen, groups }, at) => ({
              id: `d${at}`,
              category: "c",
              names: name,
              priceFen,
              packingFen,
              dailyStock: null,
              available: true,
              options: groups.map(({ choices, ...range }, nth) => ({
                id: `o${nth}`,
                names: name,
                ...range,
                choices: choices.map((one, k) => ({ ...one, id: `c${k}` })),
              })),
            })),
          };
          fc.pre(contradictions(menu).length === 0);
          const lines = wanted.map(([dish, quantity, seed]) => {
            const found = menu.dishes[dish % menu.dishes.length] as Menu["dishes"][number];
            const options = found.options.map((option) => ({
              option: option.id,
              choices: option.choices
                .slice(0, Math.min(option.min + (seed % 2), option.max, option.choices.length))
                .map(({ id }) => id),
            }));
            return { dish: found.id, quantity, options };
          });
          const services = { table: true, pickup: true, delivery: { feeFen: 500, minimumFen: 0, freeFromFen: 10_000 } };
          const { lines: priced, ...sums } = priceOf(parse({ lines, ...how }), {
            ...shop(menu),
            settings: testSettings({ services }),
          });
          const { itemsFen, packingFen, deliveryFen, totalFen } = sums;
          expect(itemsFen).toBe(priced.reduce((sum, line) => sum + line.totalFen, 0));
          expect(totalFen).toBe(itemsFen + packingFen + deliveryFen);
          // What a page prints: the lines, and what comes beside them.
          const printed = [...priced.map((line) => line.totalFen), ...extrasOf(sums).map(({ fen }) => fen)];
          expect(printed.reduce((sum, fen) => sum + fen, 0)).toBe(totalFen);
          for (const line of priced) {
            const dish = menu.dishes.find(({ id }) => id === line.dish) as Menu["dishes"][number];
            expect(line.unitFen).toBe(dish.priceFen + line.options.reduce((sum, one) => sum + one.priceFen, 0));
            expect(line.totalFen).toBe(line.unitFen * line.quantity);
            expect(line.unitFen).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The collections `shops` and `menus`: what anyone may know of each shop, as `GET /get_shop_info` gives it. */
import type { Row } from "../../db/database.ts";
import { readShops } from "../../db/shops.ts";
import { type Head, headsByName, noHead, readMenuHeads } from "../../db/streams.ts";
import { businessDay } from "../day.ts";
import { shopOf } from "../shop/open_shop.ts";
import { menuReads } from "../shop/public_state.ts";
import { publicMenu, publicShop } from "../shop/snapshots.ts";
import { type BuiltIn, documentOf, matching } from "./built_in_collection.ts";
import { textsAt } from "./narrow.ts";
import type { Condition } from "./query.ts";
import type { Document } from "./value.ts";

/** `menu:` has an event for each change that the public sees: opened, closed, another menu or settings, sold out. */
const streamOf = (shop: string) => `menu:${shop}`;

/** The shops that the query names, without texts that no shop's id can be. Undefined: any shop may match. */
const namedIn = (condition: Condition): readonly string[] | undefined =>
  textsAt(condition, "_id")?.filter((one) => /^[A-Za-z0-9_-]{1,40}$/.test(one));

const streams: BuiltIn["streams"] = async (app, _, condition) => {
  const named = namedIn(condition);
  if (named !== undefined) return named.map(streamOf);
  const [rows] = await app.db.read([readShops()]);
  return rows.map(({ id }) => streamOf(String(id)));
};

/** A head for every shop that may match: one that does not exist yet has none. */
function headsOf(shops: readonly string[], rows: readonly Row[]): ReadonlyMap<string, Head> {
  const known = headsByName(rows);
  return new Map(shops.map((id) => [streamOf(id), known.get(streamOf(id)) ?? noHead]));
}

const readerOf = () => "anyone";

export const shops: BuiltIn = {
  name: "shops",
  readerOf,
  streams,
  async read(app, _, condition) {
    const [rows, heads] = await app.db.read([readShops(), readMenuHeads()]);
    const all = rows.map((row) => publicShop(shopOf(row)));
    const documents = all.map(({ id, ...view }) => documentOf(id, view));
    return {
      documents: matching(documents, condition),
      heads: headsOf(namedIn(condition) ?? all.map(({ id }) => id), heads),
    };
  },
};

export const menus: BuiltIn = {
  name: "menus",
  readerOf,
  streams,
  async read(app, _, condition) {
    const [known] = await app.db.read([readShops()]);
    const named = namedIn(condition);
    const chosen = known.map(shopOf).filter(({ id }) => named?.includes(id) !== false);
    const now = app.clock.now();
    const reads = chosen.flatMap(({ id, zone, rolloverMinutes }) =>
      menuReads(id, businessDay(now, zone, rolloverMinutes)),
    );
    const [heads = [], ...rows] = await app.db.read([readMenuHeads(), ...reads]);
    const documents = chosen.flatMap(({ id }, at): Document[] => {
      const [[shop] = [], [menu] = [], dishDays = []] = rows.slice(3 * at, 3 * at + 3);
      if (shop === undefined || menu === undefined) return [];
      const { menu: view, soldOut } = publicMenu(shop, menu, dishDays);
      return [documentOf(id, { ...view, soldOut })];
    });
    return {
      documents: matching(documents, condition),
      heads: headsOf(named ?? chosen.map(({ id }) => id), heads),
    };
  },
};

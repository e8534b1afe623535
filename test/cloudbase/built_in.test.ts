/** Live orders for a front end that knows CloudBase's client only: signed in, ordered and watched as one user. */
import { anyEngine } from "../_engines.ts";
import { newKey, oneBowl } from "../_house.ts";
import { until } from "../_until.ts";
import { type SignedIn, signIn } from "./_client.ts";
import { openDoors, untyped } from "./_doors.ts";
import { prepareNode, type Watched, watchOf } from "./_watched.ts";

beforeAll(prepareNode);

it("CloudBase's client shows the user's own orders live, the menu, and nothing of another's", async () => {
  const house = await openDoors(anyEngine);
  const open: Watched[] = [];
  try {
    const [ana, ben] = await Promise.all([signIn(house), signIn(house)]);
    const cook = await house.staff("kitchen");
    const order = async ({ app }: SignedIn) => {
      const { data } = await app.auth.getSession();
      const { body } = await house.http("POST", "/bill", {
        token: data.session?.access_token,
        body: { shop: house.shop, ...oneBowl },
        headers: { "idempotency-key": newKey() },
      });
      return body.order;
    };
    const _ = ana.db.command;
    const mine = watchOf(
      untyped(ana.db)
        .collection("orders")
        .where({ status: _.in(["placed", "accepted", "cooking"]) }),
    );
    const theirs = watchOf(
      untyped(ben.db)
        .collection("orders")
        .where({ status: _.neq("expired") }),
    );
    const menu = watchOf(untyped(ana.db).collection("menus").where({ _id: house.shop }));
    open.push(mine, theirs, menu);
    for (const one of open) await one.snapshot(1);
    const { number, id } = await order(ana);
    const states = () =>
      mine
        .docs()
        ?.map(({ status }) => status)
        .join();
    const reach = (wanted: string) => until(() => states() === wanted, `the list of "${wanted}"`, mine.docs);
    await reach("placed");
    expect(mine.docs()).toEqual([expect.objectContaining({ _id: id, number, _openid: ana.uid, status: "placed" })]);
    await cook.http("POST", `/orders/${id}/accept`);
    await reach("accepted");
    await cook.http("POST", `/orders/${id}/cook`);
    await reach("cooking");
    // Ready: it leaves the list, which is empty then.
    await cook.http("POST", `/orders/${id}/ready`);
    await reach("");

    await cook.http("PUT", `/shops/${house.shop}/dishes/tea/sold_out`, { body: { soldOut: true } });
    await until(() => JSON.stringify(menu.docs()?.[0]?.soldOut).includes("tea"), "a menu without tea", menu.docs);

    const own = await order(ben);
    await until(() => theirs.docs()?.length === 1, "Ben's order", theirs.docs);
    expect(theirs.snapshots.flatMap(({ docs }) => docs.map(({ _id }) => _id))).toEqual([own.id]);
    const { data } = await untyped(ben.db).collection("orders").get();
    expect(data.map(({ _id }: { _id: string }) => _id)).toEqual([own.id]);
    expect(open.flatMap(({ errors }) => errors)).toEqual([]);
  } finally {
    for (const one of open) one.close();
    await house.close();
  }
});

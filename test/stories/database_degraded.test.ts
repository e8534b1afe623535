/** A database that answers but cannot work: 503 with Retry-After and a log line of its own, until it works again. */
import { conditionOf } from "../../db/conditions.ts";
import { onEveryEngine } from "../_engines.ts";
import { type House, newKey, openHouse, type Person } from "../_house.ts";

const conditions = ["full", "memory", "connections", "slow", "readOnly"] as const;
/** Errors of the engines, raised here by a trigger. */
const codes = {
  postgres: { full: "53100", memory: "53200", connections: "53300", slow: "57014", readOnly: "25006" },
  mysql: { full: "1114", memory: "1037", connections: "1203", slow: "1317", readOnly: "1290" },
};

onEveryEngine((engine) => {
  let house: House;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engine, { mayFail: true });
    customer = await house.guest();
  });
  afterAll(() => house.close());

  const family = engine.name === "mysql" ? "mysql" : "postgres";
  const break_ = (code: string) =>
    house.db.alone(async (run) => {
      if (family === "mysql")
        return run(
          `CREATE TRIGGER unwell BEFORE INSERT ON orders FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${code}`,
        );
      await run(
        `CREATE OR REPLACE FUNCTION unwell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''${code}''; END'`,
      );
      return run("CREATE TRIGGER unwell BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION unwell()");
    });
  const mend = () =>
    house.db.alone((run) => run(family === "mysql" ? "DROP TRIGGER unwell" : "DROP TRIGGER unwell ON orders"));

  it.each(conditions)("an order meets the database condition %s with its own error", async (condition) => {
    await break_(codes[family][condition]);
    house.lines.length = 0;
    const key = newKey();
    try {
      const refused = await customer.order({}, key);
      expect([refused.status, refused.body.code]).toEqual([503, "DATABASE_AWAY"]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      const said = house.lines.filter((line) => line.includes(`"event":"database.${condition}"`));
      expect(said.length).toBeGreaterThan(0);
      expect(said[0]).toMatch(/"level":"error".*"hint":"/);
    } finally {
      await mend();
    }
    const placed = await customer.order({}, key);
    expect(placed.status).toBe(201);
    const kitchen = await house.staff("kitchen");
    expect((await kitchen.http("POST", `/orders/${placed.body.order.id}/reject`, { body: {} })).status).toBe(200);
  });
});

it.each<[object, ReturnType<typeof conditionOf>]>([
  [{ code: "ENOSPC" }, "full"],
  [{ code: "EDQUOT" }, "full"],
  [{ errno: 1021 }, "full"],
  [{ errno: 1030, message: "Got error 28 from storage engine InnoDB" }, "full"],
  [{ errno: 1026, message: "Error writing file '/tmp/MLfd=41' (Errcode: 28 \"No space left on device\")" }, "full"],
  [{ code: "58030", message: 'could not write to file "base/1/2": No space left on device' }, "full"],
  [{ errno: 1040 }, "connections"],
  [{ code: "ECONNREFUSED", errno: -111 }, undefined],
  [{ code: "23505" }, undefined],
  [{ errno: 1062, message: "Duplicate entry '28' for key 'PRIMARY'" }, undefined],
])("the driver's error %j is the condition %j", (parts, condition) => {
  expect(conditionOf(Object.assign(new Error(), parts))).toBe(condition);
  expect(conditionOf(parts)).toBeUndefined();
});

/** serverless.yml as the local gateway reads it. */
import { match, readRoutes } from "../../apigateway/local/routes.ts";
import { projectRoutes } from "../../cli/machine.ts";
import { functions } from "../../functions/index.ts";

const one = (event: string) =>
  `functions:\n  pets:\n    handler: functions/pets.handler\n    events:\n      - ${event}\n`;

it("serverless.yml is read: functions, routes of both kinds, schedules", () => {
  const { functions, http, websocket, schedules } = readRoutes(`
functions:
  a:
    handler: functions/a.handler
    events:
      - httpApi: GET /a/{id}
      - httpApi: { method: post, path: /a }
      - websocket: $connect
      - websocket: { route: $default }
      - schedule: rate(1 minute)
      - schedule: { rate: rate(2 hours), input: { trim: true } }
  b:
    handler: functions/b.handler
`);
  expect([...functions]).toEqual([
    ["a", "functions/a.handler"],
    ["b", "functions/b.handler"],
  ]);
  expect(http.map(({ routeKey }) => routeKey)).toEqual(["GET /a/{id}", "POST /a"]);
  expect([...websocket]).toEqual([
    ["$connect", "a"],
    ["$default", "a"],
  ]);
  expect(schedules).toEqual([
    { function: "a", everyMs: 60_000, input: {} },
    { function: "a", everyMs: 7_200_000, input: { trim: true } },
  ]);
});

it.each([
  "httpApi: ANY /pets",
  "httpApi: '* /pets'",
  "httpApi: { method: '*', path: /pets }",
  "httpApi: GET /pets/{proxy+}",
  "schedule: cron(0 12 * * ? *)",
  "schedule: rate(soon)",
])("serverless.yml is refused where the local gateway could not do as AWS does: %s", (event) => {
  expect(() => readRoutes(one(event))).toThrow(TypeError);
  expect(() => readRoutes(one(event))).toThrow(/serverless\.yml/);
});

it("every route of the project goes to a function that exists, and the rest to not_found", () => {
  const { http, websocket, schedules } = projectRoutes();
  const named = [
    ...http.map((route) => route.function),
    ...websocket.values(),
    ...schedules.map((one) => one.function),
  ];
  for (const name of named) expect(Object.keys(functions)).toContain(name);
  expect([...websocket.keys()].sort()).toEqual(["$connect", "$default", "$disconnect"]);
  expect(match(http, "GET", "/nowhere")?.route.function).toBe("not_found");
  for (const route of http)
    if (route.routeKey !== "$default")
      expect(match(http, route.method, `/${route.segments.join("/").replace(/[{}]/g, "")}`)?.route).toBe(route);
});

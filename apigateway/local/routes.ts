/** Routes of serverless.yml, matched as API Gateway matches them. */
import { parse } from "yaml";
import type { Cors } from "./cors.ts";

export interface Routes {
  /** Function name → its handler's path, as `functions/bill.handler`. */
  readonly functions: ReadonlyMap<string, string>;
  readonly http: readonly HttpRoute[];
  /** `$connect`, `$default`, `$disconnect` → function. */
  readonly websocket: ReadonlyMap<string, string>;
  /** Whether there is a WebSocket API at all. */
  readonly hasSocket: boolean;
  readonly schedules: readonly Schedule[];
  /** Which pages of other origins may ask; undefined if none may. */
  readonly cors: Cors | undefined;
  /** Function name → what can be served alone and needs it. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

export interface HttpRoute {
  readonly function: string;
  /** As in `requestContext.routeKey`: `POST /bill`, or `$default`. */
  readonly routeKey: string;
  readonly method: string;
  readonly segments: readonly string[];
}

export interface Schedule {
  readonly function: string;
  readonly everyMs: number;
  readonly input: unknown;
}

interface Yaml {
  params?: { default?: Record<string, unknown> };
  provider?: { httpApi?: { cors?: boolean | YamlCors } };
  functions: Record<string, { handler: string; parts?: string[]; events?: YamlEvent[] }>;
}

interface YamlEvent {
  httpApi?: string | { method: string; path: string };
  websocket?: string | { route: string };
  schedule?: string | { rate: string; input?: unknown };
}

interface YamlCors {
  allowedOrigins?: string | string[];
  allowedHeaders?: string | string[];
  allowedMethods?: string | string[];
  exposedResponseHeaders?: string | string[];
  allowCredentials?: boolean;
  maxAge?: number;
}

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function readRoutes(yaml: string): Routes {
  const functions = new Map<string, string>();
  const http: HttpRoute[] = [];
  const websocket = new Map<string, string>();
  const schedules: Schedule[] = [];
  const parts = new Map<string, readonly string[]>();
  const { provider, functions: all } = withDefaults(parse(yaml) as Yaml);
  for (const [name, { handler, parts: own = [], events = [] }] of Object.entries(all)) {
    functions.set(name, handler);
    parts.set(name, own);
    for (const event of events) {
      if (event.httpApi !== undefined) http.push(httpRoute(name, event.httpApi));
      if (event.websocket !== undefined)
        websocket.set(typeof event.websocket === "string" ? event.websocket : event.websocket.route, name);
      if (event.schedule !== undefined) schedules.push(schedule(name, event.schedule));
    }
  }
  return { functions, http, websocket, hasSocket: true, schedules, parts, cors: corsOf(provider?.httpApi?.cors, http) };
}

/** What can be served alone, beside a process or a stage that serves everything on the same database. */
export const parts = ["session"] as const;
export type Part = (typeof parts)[number];

/** The routes of one part. Orders are left to the process that serves everything: only old rows are removed here. */
export function routesOf(routes: Routes, part: Part): Routes {
  const isKept = (name: string) => routes.parts.get(name)?.includes(part) ?? false;
  return {
    ...routes,
    functions: new Map([...routes.functions].filter(([name]) => isKept(name))),
    http: routes.http.filter((route) => isKept(route.function)),
    websocket: new Map(),
    hasSocket: false,
    schedules: routes.schedules.flatMap((schedule) => {
      const input = isKept(schedule.function) ? inputOf(schedule.input) : undefined;
      return input === undefined ? [] : [{ ...schedule, input }];
    }),
  };
}

/** A sweep's input where orders are not its business; undefined where nothing else is. */
export const inputOf = (input: unknown): object | undefined =>
  (input as { trim?: boolean } | undefined)?.trim === true ? { trim: true, orders: false } : undefined;

/** Replaces parameters of a deployment by their defaults. */
function withDefaults({ params, provider, functions }: Yaml): Yaml {
  const filledIn = (whole: string, name: string) =>
    JSON.stringify(String(params?.default?.[name] ?? whole)).slice(1, -1);
  return JSON.parse(JSON.stringify({ provider, functions }).replace(/\$\{param:(\w+)\}/g, filledIn));
}

/** The headers that the framework allows by default. */
const defaultHeaders = [
  "Content-Type",
  "X-Amz-Date",
  "Authorization",
  "X-Api-Key",
  "X-Amz-Security-Token",
  "X-Amz-User-Agent",
  "X-Amzn-Trace-Id",
];

function corsOf(yaml: boolean | YamlCors | undefined, http: readonly HttpRoute[]): Cors | undefined {
  if (yaml === undefined || yaml === false) return undefined;
  const own = yaml === true ? {} : yaml;
  const methods = http.map(({ method }) => method).filter((method) => method !== "*");
  return {
    allowedOrigins: listOf(own.allowedOrigins ?? "*"),
    allowedHeaders: listOf(own.allowedHeaders ?? defaultHeaders),
    allowedMethods: listOf(own.allowedMethods ?? [...new Set(["OPTIONS", ...methods])]),
    exposedHeaders: listOf(own.exposedResponseHeaders ?? []),
    allowCredentials: own.allowCredentials === true,
    maxAgeSec: own.maxAge,
  };
}

const listOf = (one: string | string[]): string[] => (Array.isArray(one) ? one : [one]);

function httpRoute(name: string, event: NonNullable<YamlEvent["httpApi"]>): HttpRoute {
  const text = typeof event === "string" ? event : `${event.method.toUpperCase()} ${event.path}`;
  if (text === "*") return { function: name, routeKey: "$default", method: "*", segments: [] };
  const [method = "", path = ""] = text.split(" ");
  if (method === "*" || method === "ANY" || (path.includes("+}") && !/^\/\{\w+\+\}$/.test(path)))
    throw new TypeError(`serverless.yml: the gateway of this machine has no routes such as "${text}"`);
  return { function: name, routeKey: `${method} ${path}`, method, segments: path.split("/").slice(1) };
}

function schedule(name: string, event: NonNullable<YamlEvent["schedule"]>): Schedule {
  const { rate, input = {} } = typeof event === "string" ? { rate: event } : event;
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(rate) ?? [];
  if (count === undefined || unit === undefined) throw new TypeError(`serverless.yml: "${rate}" is not a rate`);
  return { function: name, everyMs: Number(count) * (unitMs[unit] as number), input };
}

export interface Match {
  readonly route: HttpRoute;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The most specific route: a literal segment beats a variable one, from left to right; then `/{proxy+}`,
 * whose variable takes the whole path; `$default` takes the rest.
 */
export function match(routes: readonly HttpRoute[], method: string, path: string): Match | undefined {
  const parts = path.split("/").slice(1);
  const best = ranked(routes).find((route) => route.method === method && fits(route, parts, path));
  if (best === undefined) {
    const rest = routes.find(({ routeKey }) => routeKey === "$default");
    return rest === undefined ? undefined : { route: rest, params: {} };
  }
  const params: Record<string, string> = {};
  best.segments.forEach((segment, at) => {
    if (segment.endsWith("+}")) params[segment.slice(1, -2)] = parts.slice(at).join("/");
    else if (isVariable(segment)) params[segment.slice(1, -1)] = parts[at] as string;
  });
  return { route: best, params };
}

const fits = (route: HttpRoute, parts: readonly string[], path: string): boolean =>
  (isGreedy(route) ? route.segments.length <= parts.length : route.segments.length === parts.length) &&
  route.segments.every((segment, at) =>
    segment.endsWith("+}") ? path !== "/" : isVariable(segment) ? parts[at] !== "" : segment === parts[at],
  );

/** The most specific first; sorted once for each list. */
function ranked(routes: readonly HttpRoute[]): readonly HttpRoute[] {
  const known = rankedOf.get(routes);
  if (known !== undefined) return known;
  const rank = (route: HttpRoute) =>
    `${isGreedy(route) ? "1" : "0"}${route.segments.map((segment) => (isVariable(segment) ? "1" : "0")).join("")}`;
  const sorted = routes.toSorted((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  rankedOf.set(routes, sorted);
  return sorted;
}

const rankedOf = new WeakMap<readonly HttpRoute[], readonly HttpRoute[]>();

const isGreedy = ({ segments }: HttpRoute) => segments.at(-1)?.endsWith("+}") === true;
const isVariable = (segment: string) => segment.startsWith("{");

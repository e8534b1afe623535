/** Types of `client.ask`: body and answer by method and path. No code. */
import type { ApiRequest } from "./api.ts";
import type { Routes } from "./api_types.ts";

type Split<Path extends string> = Path extends `${infer Head}/${infer Rest}` ? [Head, ...Split<Rest>] : [Path];

/** Whether a path, segment by segment, can be the route's. A value in the path fits every segment. */
type Fits<Asked extends string[], Known extends string[]> = Asked extends [
  infer Is extends string,
  ...infer MoreIs extends string[],
]
  ? Known extends [infer Wants extends string, ...infer MoreWants extends string[]]
    ? Wants extends `{${string}}`
      ? Fits<MoreIs, MoreWants>
      : string extends Is
        ? Fits<MoreIs, MoreWants>
        : Is extends Wants
          ? Fits<MoreIs, MoreWants>
          : false
    : false
  : Known extends []
    ? true
    : false;

type WithoutQuery<Path extends string> = Path extends `${infer Bare}?${string}` ? Bare : Path;

/** The route of a method and a path, such as `` `/orders/${id}` ``; never where there is none. */
export type RouteOf<Method extends string, Path extends string> = {
  [Key in keyof Routes]: Key extends `${Method} ${infer Known}`
    ? Fits<Split<WithoutQuery<Path>>, Split<Known>> extends true
      ? Key
      : never
    : never;
}[keyof Routes];

type BodyOf<Key extends keyof Routes> = Routes[Key]["body"];

/** What must be beside method and path. */
type Rest<Key extends keyof Routes> = [Key] extends [never]
  ? { readonly "there is no such route": true }
  : undefined extends BodyOf<Key>
    ? { body?: undefined }
    : object extends BodyOf<Key>
      ? { body?: BodyOf<Key> | undefined }
      : { body: BodyOf<Key> };

export interface Ask {
  /**
   * Calls a route of the API. Types of body and answer follow from method and path.
   * @returns the body @throws ApiError
   */
  <const Method extends ApiRequest["method"], const Path extends string>(
    ask: Omit<ApiRequest, "method" | "path" | "body"> & { method: Method; path: Path } & Rest<RouteOf<Method, Path>>,
  ): Promise<Routes[RouteOf<Method, Path>]["answer"]>;
  /** The same for a path that is made at run time, of which nothing is known here: the caller names the answer's type. */
  <T, const Path extends string = string>(
    ask: Omit<ApiRequest, "path"> & { path: Path } & (string extends Path ? unknown : never),
  ): Promise<T>;
}

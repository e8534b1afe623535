/** Operators of conditions and changes. Each is a plain object such as `{ $gt: 1 }`, so that any other can be written by hand. */
import type { Command } from "./types.ts";

export interface Commands {
  eq(value: unknown): Command;
  neq(value: unknown): Command;
  gt(value: unknown): Command;
  gte(value: unknown): Command;
  lt(value: unknown): Command;
  lte(value: unknown): Command;
  in(values: readonly unknown[]): Command;
  nin(values: readonly unknown[]): Command;
  all(values: readonly unknown[]): Command;
  elemMatch(where: object): Command;
  exists(does: boolean): Command;
  size(count: number): Command;
  mod(divisor: number, remainder: number): Command;
  not(command: Command | RegExp): Command;
  /** Between conditions, or between the operators of one field. */
  and(...some: object[]): Command;
  or(...some: object[]): Command;
  nor(...some: object[]): Command;

  /** Replaces a whole object. */
  set(value: unknown): Command;
  /** Removes the field. */
  remove(): Command;
  inc(by: number): Command;
  mul(by: number): Command;
  max(value: unknown): Command;
  min(value: unknown): Command;
  rename(name: string): Command;
  /** Adds values at a list's end. */
  push(...values: unknown[]): Command;
  /** Adds values at a list's beginning. */
  unshift(...values: unknown[]): Command;
  /** Adds those values that a list lacks. */
  addToSet(...values: unknown[]): Command;
  /** Removes a list's last element. */
  pop(): Command;
  /** Removes a list's first element. */
  shift(): Command;
  /** Removes the elements that are equal, or that match. */
  pull(what: unknown): Command;
  pullAll(values: readonly unknown[]): Command;
  /** The server's time, and so many milliseconds. In a document, a change or a condition. */
  serverDate(offsetMs?: number): Date;
}

type Make = (...values: unknown[]) => unknown;

const one =
  (operator: string): Make =>
  (value) => ({ [operator]: value });
const list =
  (operator: string): Make =>
  (...values) => ({ [operator]: values });
const each =
  (operator: string, more = {}): Make =>
  (...values) => ({ [operator]: { $each: values, ...more } });

/** The operators under the names that CloudBase gives them. */
const makeCommands = (): Commands => {
  const made: Record<string, Make> = {};
  for (const name of "eq gt gte lt lte in nin all elemMatch exists size not set inc mul max min rename pull pullAll".split(
    " ",
  ))
    made[name] = one(`$${name}`);
  for (const name of ["mod", "and", "or", "nor"]) made[name] = list(`$${name}`);
  return Object.assign(made, {
    neq: one("$ne"),
    remove: () => ({ $unset: "" }),
    push: each("$push"),
    unshift: each("$push", { $position: 0 }),
    addToSet: each("$addToSet"),
    pop: () => ({ $pop: 1 }),
    shift: () => ({ $pop: -1 }),
    serverDate: (offset = 0) => ({ $date: { offset } }),
  }) as unknown as Commands;
};

export const command: Commands = /* @__PURE__ */ makeCommands();

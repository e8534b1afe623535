/** What the parts of the page can do, and what they may open. */
import type { Action, OrderView, Role, ShopBrief } from "../../clients/types.ts";

export type Shown =
  | { kind: "more" | "reject" | "cancel"; order: string }
  | { kind: "recall" | "totals" | "dishes" | "settings" | "close" | "unpair" };

export interface Doing {
  readonly role: Role;
  readonly guests: ShopBrief["guests"];
  take(order: OrderView, action: Action, reason?: string): void;
  strike(order: OrderView, line: number, struck: boolean): Promise<void>;
  undo(order?: string): void;
  /** Somebody has seen it. */
  touch(...orders: OrderView[]): void;
  show(what: Shown | undefined): void;
  print(order: OrderView): void;
  /** Says a refusal, until it is put away. */
  say(text: string): void;
}

/** Actions of the kitchen's page, and the dialogs that can be open. */
import type { StepBody } from "../../clients/client.ts";
import type { Action, OrderView, Role, ShopBrief } from "../../clients/types.ts";

export type OpenDialog =
  | { kind: "more" | "reject" | "cancel"; order: string }
  | { kind: "recall" | "totals" | "dishes" | "settings" | "close" | "unpair" };

export interface KitchenActions {
  readonly role: Role;
  readonly guests: ShopBrief["guests"];
  takeStep(order: OrderView, action: Action, body?: StepBody): void;
  strike(order: OrderView, line: number, struck: boolean): Promise<void>;
  undo(order?: string): void;
  /** Marks the order as seen: it is silent for a while. */
  touch(...orders: OrderView[]): void;
  show(what: OpenDialog | undefined): void;
  print(order: OrderView): void;
  /** Shows an error until it is closed. */
  report(text: string): void;
}

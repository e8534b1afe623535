/** The dialog that is open, if one is. */
import type { OrderView } from "../../clients/types.ts";
import { client } from "./client.ts";
import { DishesDialog } from "./dishes_dialog.tsx";
import type { Doing, Shown } from "./doing.ts";
import { MoreDialog } from "./more_dialog.tsx";
import { Question } from "./question.tsx";
import { ReasonDialog } from "./reason_dialog.tsx";
import { RecallDialog } from "./recall_dialog.tsx";
import { SettingsDialog } from "./settings_dialog.tsx";
import { words } from "./speak.ts";
import { TotalsDialog } from "./totals_dialog.tsx";
import type { DishToday, StaffMenu } from "./use_menu.ts";
import type { Shift } from "./use_shift.ts";

export interface DialogsProps {
  shown: Shown | undefined;
  show(what: Shown | undefined): void;
  shop: string;
  device: string;
  orders: readonly OrderView[];
  queue: readonly OrderView[];
  menu: StaffMenu | undefined;
  apply(dish: DishToday): void;
  doing: Doing;
  shift: Shift;
  /** Closes the shop. */
  onClose(): void;
}

export function Dialogs({
  shown,
  show,
  shop,
  device,
  orders,
  queue,
  menu,
  apply,
  doing,
  shift,
  onClose,
}: DialogsProps) {
  const close = () => show(undefined);
  switch (shown?.kind) {
    case undefined:
      return null;
    case "more":
    case "reject":
    case "cancel": {
      const order = orders.find(({ id }) => id === shown.order);
      // It has ended meanwhile; there is nothing to do with it any more.
      if (order === undefined) return null;
      if (shown.kind === "more") return <MoreDialog order={order} doing={doing} onClose={close} />;
      return <ReasonDialog key={shown.kind} kind={shown.kind} order={order} doing={doing} onClose={close} />;
    }
    case "recall":
      return <RecallDialog shop={shop} orders={orders} doing={doing} onClose={close} />;
    case "totals":
      return <TotalsDialog queue={queue} onClose={close} />;
    case "dishes":
      return <DishesDialog shop={shop} menu={menu} apply={apply} say={doing.say} onClose={close} />;
    case "settings":
      return (
        <SettingsDialog
          role={doing.role}
          device={device}
          shift={shift}
          onUnpair={() => show({ kind: "unpair" })}
          onClose={close}
        />
      );
    case "close":
      return (
        <Question
          title={words.closeQuestion}
          hint={words.closeHint(orders.length)}
          yes={words.closeShop}
          onYes={onClose}
          onClose={close}
        />
      );
    case "unpair":
      return (
        <Question
          title={words.unpairQuestion}
          hint={words.unpairHint}
          yes={words.unpair}
          onYes={() => void client.signOut()}
          onClose={close}
        />
      );
  }
}

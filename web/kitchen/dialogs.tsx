/** The open dialog, if there is one. */
import type { OrderView } from "../../clients/types.ts";
import type { KitchenActions, OpenDialog } from "./actions.ts";
import { client } from "./client.ts";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { words } from "./dictionary.ts";
import { DishesDialog } from "./dishes_dialog.tsx";
import { MoreDialog } from "./more_dialog.tsx";
import { ReasonDialog } from "./reason_dialog.tsx";
import { RecallDialog } from "./recall_dialog.tsx";
import { SettingsDialog } from "./settings_dialog.tsx";
import { TotalsDialog } from "./totals_dialog.tsx";
import type { DishToday, StaffMenu } from "./use_menu.ts";
import type { Shift } from "./use_shift.ts";

export interface DialogsProps {
  shown: OpenDialog | undefined;
  show(what: OpenDialog | undefined): void;
  shop: string;
  device: string;
  orders: readonly OrderView[];
  queue: readonly OrderView[];
  menu: StaffMenu | undefined;
  apply(dish: DishToday): void;
  actions: KitchenActions;
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
  actions,
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
      // It has ended meanwhile, so there is nothing left to do.
      if (order === undefined) return null;
      if (shown.kind === "more") return <MoreDialog order={order} actions={actions} onClose={close} />;
      return <ReasonDialog key={shown.kind} kind={shown.kind} order={order} actions={actions} onClose={close} />;
    }
    case "recall":
      return <RecallDialog shop={shop} orders={orders} actions={actions} onClose={close} />;
    case "totals":
      return <TotalsDialog queue={queue} onClose={close} />;
    case "dishes":
      return <DishesDialog shop={shop} menu={menu} apply={apply} onClose={close} />;
    case "settings":
      return (
        <SettingsDialog
          role={actions.role}
          device={device}
          shift={shift}
          onUnpair={() => show({ kind: "unpair" })}
          onClose={close}
        />
      );
    case "close":
      return (
        <ConfirmDialog
          title={words.closeQuestion}
          hint={words.closeHint(orders.length)}
          yes={words.closeShop}
          onYes={onClose}
          onClose={close}
        />
      );
    case "unpair":
      return (
        <ConfirmDialog
          title={words.unpairQuestion}
          hint={words.unpairHint}
          yes={words.unpair}
          onYes={() => void client.signOut()}
          onClose={close}
        />
      );
  }
}

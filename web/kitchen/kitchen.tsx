/** The kitchen's screen: orders to make, oldest first, with banners, sound and dialogs. */
import { useEffect, useState } from "preact/hooks";
import type { OrderView, Role } from "../../clients/types.ts";
import { serverTimeOf } from "../shared/clock.ts";
import { useSlots } from "../shared/tap_guard.ts";
import { setTitle } from "../shared/title.ts";
import { setZone } from "../shared/zone.ts";
import type { KitchenActions, OpenDialog } from "./actions.ts";
import { Banners, Troubles } from "./banners.tsx";
import { readPaper } from "./device_settings.ts";
import { Dialogs } from "./dialogs.tsx";
import { clockTime, localName, whereTo, words } from "./dictionary.ts";
import { Header } from "./header.tsx";
import { useKeys } from "./keys.ts";
import { QueueList, ReadyList } from "./order_lists.tsx";
import { Receipt } from "./receipt.tsx";
import { useBell } from "./use_bell.ts";
import { useConnection } from "./use_connection.ts";
import { useKitchen } from "./use_kitchen.ts";
import { useMenu } from "./use_menu.ts";
import { useQueue } from "./use_queue.ts";
import { useShift } from "./use_shift.ts";
import { useShopSwitch } from "./use_shop_switch.ts";
import { useSteps } from "./use_steps.ts";

export function Kitchen({ shop: shopId, role, device }: { shop: string; role: Role; device: string }) {
  const live = useKitchen(shopId);
  const { orders, shop } = live;
  if (shop !== undefined) setZone(shop.zone);
  const { menu, apply } = useMenu(shopId, live.menuRound);
  const { connection, heardAt } = useConnection();
  const steps = useSteps(orders, live.put, connection === "live" || connection === "polling");
  const shift = useShift();
  const { bell, rung, touch } = useBell(orders, shift.soundOn);
  const [shown, show] = useState<OpenDialog>();
  const [printed, setPrinted] = useState<{ order: OrderView; nth: number }>();

  const sorted = useQueue(orders, menu);
  const { queue, ready } = sorted;
  const slots = useSlots(sorted.visible, sorted.station ?? "all");
  const readySlots = useSlots(ready);

  // Printing waits until the receipt is drawn.
  useEffect(() => {
    if (printed !== undefined) print();
  }, [printed]);

  const actions: KitchenActions = {
    role,
    guests: shop?.guests ?? "take",
    takeStep: steps.takeStep,
    strike: steps.strike,
    undo: steps.undo,
    touch,
    show,
    print: (order) => setPrinted((now) => ({ order, nth: (now?.nth ?? 0) + 1 })),
    report: steps.report,
  };

  const { switching, switchShop } = useShopSwitch(shopId, live.setOpen, steps.report);

  const silence = () => touch(...queue);
  const showWaiting = () => {
    const first = document.querySelector<HTMLElement>('.ticket[data-status="placed"]');
    first?.scrollIntoView({ block: "nearest" });
    first?.querySelector<HTMLElement>(".go")?.focus({ preventScroll: true });
  };
  useKeys({ undo: () => steps.undo(), silence, show, off: shown !== undefined });

  useEffect(() => {
    // The title of a background tab shows that orders are waiting.
    const waiting = queue.filter(({ status }) => status === "placed").length;
    setTitle({ urgent: waiting > 0 ? `(${waiting})` : "", shop: localName(shop?.names) });
  }, [queue, shop]);

  return (
    <div
      class="kitchen"
      data-bell={bell}
      data-rung={rung}
      data-sound={shift.soundOn ? "on" : "off"}
      data-line={connection}
    >
      <Header
        shop={shop}
        role={role}
        switching={switching}
        connection={connection}
        heardAt={heardAt > 0 ? clockTime(serverTimeOf(heardAt)) : "–"}
        soldOut={menu?.today.filter(({ soldOut, left }) => soldOut || left === 0).length ?? 0}
        onOpen={(open) => (open ? void switchShop(true) : show({ kind: "close" }))}
        show={show}
      />
      <section aria-label={words.notices}>
        <Banners
          connection={connection}
          heardAt={heardAt}
          shift={shift}
          bell={bell}
          orders={queue}
          shop={shop}
          onSilence={silence}
          onShow={showWaiting}
        />
        <Troubles
          troubles={steps.troubles}
          notices={live.notices}
          over={live.over && words.watchOver}
          onDismiss={steps.dismiss}
          onNotice={live.dismiss}
        />
        <p class="unseen" role="status" aria-live="assertive">
          {live.arrived !== undefined &&
            words.newOrder(
              live.arrived.number,
              whereTo(live.arrived),
              live.arrived.lines.reduce((sum, { quantity }) => sum + quantity, 0),
            )}
        </p>
      </section>
      <main class={readySlots.length > 0 ? "floor with-ready" : "floor"}>
        <QueueList
          slots={slots}
          queue={sorted}
          loading={orders === undefined}
          shopClosed={shop?.open === false}
          steps={steps}
          actions={actions}
        />
        <ReadyList slots={readySlots} count={ready.length} steps={steps} actions={actions} />
      </main>
      <Dialogs
        shown={shown}
        show={show}
        shop={shopId}
        device={device}
        orders={orders ?? []}
        queue={queue}
        menu={menu}
        apply={apply}
        actions={actions}
        shift={shift}
        onClose={() => void switchShop(false)}
      />
      {printed !== undefined && <Receipt order={printed.order} shop={shop} paper={readPaper()} />}
    </div>
  );
}

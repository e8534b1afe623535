/** The kitchen's screen: what is to be done, oldest first, and everything that may stand in the way of seeing it. */
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { OrderView, Role } from "../../clients/types.ts";
import { isApiError } from "./api_error.ts";
import { Banners, Troubles } from "./banners.tsx";
import { client } from "./client.ts";
import { Dialogs } from "./dialogs.tsx";
import type { Doing, Shown } from "./doing.ts";
import { Header } from "./header.tsx";
import { keptPaper } from "./kept.ts";
import { useKeys } from "./keys.ts";
import { ReadyCard } from "./ready_card.tsx";
import { Receipt } from "./receipt.tsx";
import { clockTime, stationName, whereTo, why, words } from "./speak.ts";
import { inQueue } from "./steps.ts";
import { Ticket } from "./ticket.tsx";
import { useBell } from "./use_bell.ts";
import { useKitchen } from "./use_kitchen.ts";
import { isCutOff, useLine } from "./use_line.ts";
import { useMenu } from "./use_menu.ts";
import { useShift } from "./use_shift.ts";
import { useSteps } from "./use_steps.ts";

export function Kitchen({ shop: shopId, role, device }: { shop: string; role: Role; device: string }) {
  const live = useKitchen(shopId);
  const { orders, shop } = live;
  const { menu, apply } = useMenu(shopId, live.menuRound);
  const steps = useSteps(orders, live.put);
  const shift = useShift();
  const { bell, rung, touch } = useBell(orders, shift.soundOn);
  const { line, heardAt } = useLine();
  const [shown, show] = useState<Shown>();
  const [station, setStation] = useState<string>();
  const [printed, setPrinted] = useState<{ order: OrderView; nth: number }>();

  const queue = useMemo(() => orders?.filter(inQueue) ?? [], [orders]);
  const ready = useMemo(() => orders?.filter((order) => !inQueue(order)) ?? [], [orders]);
  const stations = useMemo(() => {
    const all = new Set(menu?.menu.dishes.map((dish) => dish.station ?? ""));
    return all.size > 1 ? [...all].sort((a, b) => Number(a === "") - Number(b === "")) : [];
  }, [menu]);
  // Whoever stands at one station may still accept for all.
  const visible = queue.filter(
    ({ status, lines }) =>
      station === undefined || status === "placed" || lines.some((one) => (one.station ?? "") === station),
  );

  // Printing waits until the receipt is drawn.
  useEffect(() => {
    if (printed !== undefined) print();
  }, [printed]);

  const doing: Doing = {
    role,
    guests: shop?.guests ?? "take",
    take: steps.take,
    strike: steps.strike,
    undo: steps.undo,
    touch,
    show,
    print: (order) => setPrinted((now) => ({ order, nth: (now?.nth ?? 0) + 1 })),
    say: steps.say,
  };

  const [switching, setSwitching] = useState(false);
  const setOpen = useCallback(
    async (open: boolean) => {
      if (isCutOff()) return steps.say(words.offlineRefused);
      setSwitching(true);
      try {
        live.setOpen(
          (await client.ask<{ open: boolean }>({ method: "PUT", path: `/shops/${shopId}/open`, body: { open } })).open,
        );
      } catch (error) {
        if (!isApiError(error)) throw error;
        steps.say(why(error));
      } finally {
        setSwitching(false);
      }
    },
    [shopId],
  );

  const silence = () => touch(...queue);
  const showWaiting = () => {
    const first = document.querySelector<HTMLElement>('.ticket[data-status="placed"]');
    first?.scrollIntoView({ block: "nearest" });
    first?.querySelector<HTMLElement>(".go")?.focus({ preventScroll: true });
  };
  useKeys({ undo: () => steps.undo(), silence, show, off: shown !== undefined });

  useEffect(() => {
    // A tab in the background tells by its name that somebody waits.
    const waiting = queue.filter(({ status }) => status === "placed").length;
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${words.title} · orderbell`;
  }, [queue]);

  return (
    <div class="kitchen" data-bell={bell} data-rung={rung} data-sound={shift.soundOn ? "on" : "off"} data-line={line}>
      <Header
        shop={shop}
        role={role}
        switching={switching}
        line={line}
        heardAt={clockTime(heardAt)}
        soldOut={menu?.today.filter(({ soldOut, left }) => soldOut || left === 0).length ?? 0}
        onOpen={(open) => (open ? void setOpen(true) : show({ kind: "close" }))}
        show={show}
      />
      <Banners
        line={line}
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
      {stations.length > 0 && (
        <fieldset class="stations">
          <legend class="unseen">{words.stations}</legend>
          {[undefined, ...stations].map((one) => (
            <button
              key={one ?? " all"}
              type="button"
              class="button"
              aria-pressed={station === one}
              onClick={() => setStation(one)}
            >
              {one === undefined ? words.allStations : stationName(one)}
              <b>{portionsAt(queue, one)}</b>
            </button>
          ))}
        </fieldset>
      )}
      <main class={ready.length > 0 ? "floor with-ready" : "floor"}>
        <section class="queue" aria-labelledby="queue-title">
          <h2 id="queue-title">
            {words.queue} <b>{visible.length}</b>
          </h2>
          {orders === undefined ? (
            <Waiting />
          ) : visible.length === 0 ? (
            <div class="nothing">
              <span class="mark" aria-hidden="true" />
              <p>{queue.length > 0 ? words.noneAtStation : words.noQueue}</p>
              {queue.length === 0 && (
                <p class="quiet">{shop?.open === false ? words.noQueueClosedHint : words.noQueueHint}</p>
              )}
            </div>
          ) : (
            <div class="tickets">
              {visible.map((order, at) => (
                <Ticket
                  key={order.id}
                  order={order}
                  position={at + 1}
                  station={order.status === "placed" ? undefined : station}
                  work={steps.work.get(order.id)}
                  doing={doing}
                />
              ))}
            </div>
          )}
        </section>
        <section class="pass" aria-labelledby="ready-title">
          <h2 id="ready-title">
            {words.readyList} <b>{ready.length}</b>
          </h2>
          {ready.length === 0 ? (
            <p class="quiet">{words.noReady}</p>
          ) : (
            <ul>
              {ready.map((order) => (
                <ReadyCard key={order.id} order={order} work={steps.work.get(order.id)} doing={doing} />
              ))}
            </ul>
          )}
        </section>
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
        doing={doing}
        shift={shift}
        onClose={() => void setOpen(false)}
      />
      {printed !== undefined && <Receipt order={printed.order} shop={shop} paper={keptPaper()} />}
    </div>
  );
}

const portionsAt = (queue: readonly OrderView[], station: string | undefined): number =>
  queue
    .flatMap(({ lines }) => lines)
    .filter((one) => one.struck !== true && (station === undefined || (one.station ?? "") === station))
    .reduce((sum, { quantity }) => sum + quantity, 0);

function Waiting() {
  return (
    <div class="tickets" aria-busy="true">
      <p class="unseen">{words.loading}</p>
      {[1, 2, 3].map((nth) => (
        <div key={nth} class="waiting ticket-waiting" />
      ))}
    </div>
  );
}

/** The checkout: service, contact, total, and the button that sends the order. */
import { useMemo, useState } from "preact/hooks";
import type { Service } from "../../clients/browser.ts";
import { maxNote } from "../../shared/order_states.ts";
import { yuan } from "../shared/money.ts";
import { AskDialog } from "./ask_dialog.tsx";
import { billLines, totalOf } from "./cart.ts";
import { CartLines } from "./cart_sheet.tsx";
import { send } from "./client.ts";
import { ContactFields, contactFaults } from "./contact_fields.tsx";
import { words } from "./dictionary.ts";
import { errorText } from "./error_text.ts";
import { NoteField, tooMany } from "./note_field.tsx";
import { Empty, Page } from "./page.tsx";
import { go, goBack } from "./route.ts";
import { clearRefused } from "./sending.ts";
import { allServices, defaultService, offeredServices, type ShopView } from "./shop_view.ts";
import { canStore, readContact, saveContact, saveService } from "./stored.ts";
import { SumRow } from "./sum_row.tsx";

export function Checkout({ view }: { view: ShopView }) {
  const { info, cart, sending, troubles } = view;
  const { shop, menu, table } = info;
  const offered = offeredServices(info);
  const [wanted, setWanted] = useState(() => defaultService(info));
  const service = offered.includes(wanted) ? wanted : defaultService(info);
  const [contact, setContact] = useState(readContact);
  const [asked, setAsked] = useState(false);
  const [storable] = useState(canStore);
  const total = totalOf(view.orderable, menu, service, shop.services.delivery);
  const faults = service === "delivery" ? contactFaults(contact) : {};
  const busy = sending.pending !== undefined;
  const { refused } = sending;

  function choose(next: Service): void {
    setWanted(next);
    saveService(next);
    clearRefused();
  }

  function submit(expectedTotalFen: number): void {
    setAsked(true);
    const first = Object.keys(faults)[0];
    if (first !== undefined) {
      document.getElementById(`contact-${first}`)?.focus();
      return;
    }
    if (tooMany(cart.note, maxNote) > 0) {
      document.getElementById("order-note")?.focus();
      return;
    }
    if (service === "delivery") saveContact(contact);
    const note = cart.note.trim();
    const bill = { shop: shop.id, lines: billLines(cart.lines), expectedTotalFen, ...(note !== "" && { note }) };
    const delivery = { name: contact.name.trim(), phone: contact.phone.trim(), address: contact.address.trim() };
    if (service === "delivery") send({ ...bill, service, delivery });
    else if (service === "table" && table !== null) send({ ...bill, service, table: table.token });
    else send({ ...bill, service: "pickup" });
  }

  if (cart.lines.length === 0)
    return (
      <Page title={words.confirmOrder}>
        <Empty title={words.emptyCart} hint={words.emptyCartHint}>
          <button type="button" class="button primary" onClick={goBack}>
            {words.toMenu}
          </button>
        </Empty>
      </Page>
    );

  const newTotalFen = refused?.error.code === "PRICE_CHANGED" ? Number(refused?.error.extra.totalFen) : undefined;
  const mustFix = troubles.some(Boolean);
  return (
    <Page
      title={words.confirmOrder}
      footer={
        <>
          <Hindrance view={view} storable={storable} missingFen={total.missingFen} newTotalFen={newTotalFen} />
          {mustFix ? (
            <button type="button" class="button primary wide" onClick={view.fixCart}>
              {words.mend}
            </button>
          ) : (
            <button
              type="button"
              class="button primary wide"
              disabled={busy || view.closedReason !== undefined || total.missingFen > 0 || offered.length === 0}
              onClick={() => submit(total.totalFen)}
            >
              {busy ? words.submitting : words.submit(yuan(total.totalFen))}
            </button>
          )}
        </>
      }
    >
      <ServiceChoice view={view} service={service} disabled={busy} onChoose={choose} />

      {service === "delivery" && (
        <fieldset class="panel" disabled={busy}>
          <legend>{words.deliverTo}</legend>
          <ContactFields contact={contact} faults={asked ? faults : {}} onChange={setContact} />
        </fieldset>
      )}

      <section class="panel" aria-label={words.dishes}>
        {busy ? <CartLines view={view} fixed /> : <CartLines view={view} />}
        <dl class="sums">
          {total.packingFen > 0 && <SumRow name={words.packing} value={yuan(total.packingFen)} />}
          {service === "delivery" && (
            <SumRow name={words.deliveryFee} value={total.deliveryFen === 0 ? words.free : yuan(total.deliveryFen)} />
          )}
          <SumRow name={words.total} value={yuan(total.totalFen)} strong />
        </dl>
        <p class="quiet right">{words.payLater[service]}</p>
      </section>

      <div class="panel">
        <NoteField
          id="order-note"
          label={words.orderNote}
          hint={words.orderNoteHint}
          value={cart.note}
          max={maxNote}
          lines
          disabled={busy}
          onChange={(note) => view.change({ ...cart, note })}
        />
      </div>

      {newTotalFen !== undefined && refused !== undefined && !busy && (
        <AskDialog
          title={words.priceChangedTitle}
          hint={words.priceChanged(yuan(refused.bill.expectedTotalFen ?? 0), yuan(newTotalFen))}
          no={words.lookAgain}
          yes={words.acceptPrice(yuan(newTotalFen))}
          onNo={clearRefused}
          onYes={() => {
            view.fixCart();
            submit(newTotalFen);
          }}
        />
      )}
    </Page>
  );
}

interface HindranceProps {
  view: ShopView;
  /** The order can be stored, so that it survives a reload of the page. */
  storable: boolean;
  missingFen: number;
  newTotalFen: number | undefined;
}

/** The reason that the order cannot be sent, or its progress. */
function Hindrance({ view: { closedReason, sending }, storable, missingFen, newTotalFen }: HindranceProps) {
  const { pending, refused } = sending;
  // Computed once: the text may name a time.
  const text = useMemo(() => refused && errorText(refused.error), [refused]);
  const code = refused?.error.code;
  return (
    <div role="status" class="hindrance">
      {closedReason !== undefined ? (
        <p>{closedReason}</p>
      ) : pending !== undefined ? (
        <>
          <p class="calm">{words.stillSending}</p>
          {!storable && <p class="calm">{words.notKept}</p>}
        </>
      ) : refused !== undefined && newTotalFen === undefined ? (
        <p>{text}</p>
      ) : missingFen > 0 ? (
        <p>{words.belowMinimum(yuan(missingFen))}</p>
      ) : !storable ? (
        <p class="calm">{words.notKept}</p>
      ) : null}
      {(code === "NO_ANSWER" || code === "SESSION_ENDED") && (
        <button type="button" class="button plain" onClick={() => go("orders")}>
          {words.orders}
        </button>
      )}
    </div>
  );
}

interface ServiceChoiceProps {
  view: ShopView;
  service: Service;
  disabled: boolean;
  onChoose(service: Service): void;
}

function ServiceChoice({ view: { info }, service, disabled, onChoose }: ServiceChoiceProps) {
  const { shop, table } = info;
  const offered = offeredServices(info);
  return (
    <fieldset class="panel" disabled={disabled}>
      <legend class="unseen">{words.howToEat}</legend>
      <div class="services">
        {allServices
          .filter((one) => shop.services[one])
          .map((one) => (
            <label key={one} class="service">
              <input
                type="radio"
                name="service"
                checked={one === service}
                disabled={!offered.includes(one)}
                onChange={() => onChoose(one)}
              />
              <span>
                {words.service[one]}
                {one === "table" && table !== null && <small>{words.table(table.label)}</small>}
              </span>
            </label>
          ))}
      </div>
      <p class="quiet">
        {service === "delivery" && shop.services.delivery !== null
          ? terms(shop.services.delivery)
          : words.serviceHint[service]}
      </p>
      {shop.services.table && table === null && <p class="quiet">{words.scanTable}</p>}
    </fieldset>
  );
}

const terms = ({ feeFen, minimumFen, freeFromFen }: { feeFen: number; minimumFen: number; freeFromFen?: number }) =>
  words.deliveryTerms(yuan(feeFen), yuan(minimumFen), freeFromFen === undefined ? undefined : yuan(freeFromFen));

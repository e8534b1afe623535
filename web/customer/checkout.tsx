/** How it is eaten, where it goes, what it costs; and the one button, which says what hinders it. */
import { useState } from "preact/hooks";
import type { Bill, Service } from "../../clients/browser.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { billLines, totalOf } from "./cart.ts";
import { CartLines } from "./cart_sheet.tsx";
import { send } from "./client.ts";
import type { Desk } from "./desk.ts";
import { type Contact, keepContact, keepService, readContact, readService } from "./kept.ts";
import { Empty, Page } from "./page.tsx";
import { go, leave } from "./place.ts";
import { forgetRefusal } from "./sending.ts";
import { words } from "./speak.ts";

const all = ["table", "pickup", "delivery"] as const;
/** As the server has it. */
const telephone = /^\+?\d[\d -]{4,18}\d$/;

export function Checkout({ desk }: { desk: Desk }) {
  const { info, cart, sending, found } = desk;
  const { shop, menu, table } = info;
  const offered = all.filter((service) => shop.services[service] && (service !== "table" || table !== null));
  const last = readService();
  const [wanted, setWanted] = useState<Service | undefined>(
    table !== null ? "table" : last === "table" ? undefined : last,
  );
  const service = wanted !== undefined && offered.includes(wanted) ? wanted : (offered[0] ?? "pickup");
  const [contact, setContact] = useState(readContact);
  const [asked, setAsked] = useState(false);
  const total = totalOf(cart.lines, menu, service, shop.services.delivery);
  const wrong = service === "delivery" ? wrongIn(contact) : {};
  const busy = sending.pending !== undefined;

  function choose(next: Service): void {
    setWanted(next);
    keepService(next);
    forgetRefusal();
  }

  function submit(expectedTotalFen: number): void {
    setAsked(true);
    const first = Object.keys(wrong)[0];
    if (first !== undefined) {
      document.getElementById(`contact-${first}`)?.focus();
      return;
    }
    if (service === "delivery") keepContact(contact);
    const bill: Bill = { shop: shop.id, lines: billLines(cart.lines), service, expectedTotalFen };
    if (service === "table" && table !== null) bill.table = table.token;
    if (service === "delivery")
      bill.delivery = { name: contact.name.trim(), phone: contact.phone.trim(), address: contact.address.trim() };
    if (cart.note.trim() !== "") bill.note = cart.note.trim();
    send(bill);
  }

  if (cart.lines.length === 0)
    return (
      <Page title={words.confirmOrder}>
        <Empty title={words.emptyCart} hint={words.emptyCartHint}>
          <button type="button" class="button primary" onClick={leave}>
            {words.toMenu}
          </button>
        </Empty>
      </Page>
    );

  const { refused } = sending;
  const code = refused?.error.code;
  const newTotalFen = code === "PRICE_CHANGED" ? Number(refused?.error.extra.totalFen) : undefined;
  const mending = found.some(Boolean);
  return (
    <Page
      title={words.confirmOrder}
      footer={
        <>
          <div role="status" class="hindrance">
            {desk.shut !== undefined ? (
              <p>{desk.shut}</p>
            ) : busy ? (
              <p class="calm">{words.stillSending}</p>
            ) : refused !== undefined && newTotalFen === undefined ? (
              <p>{words.refusal[code ?? ""] ?? words.refusedOtherwise(code ?? "")}</p>
            ) : total.missingFen > 0 ? (
              <p>{words.belowMinimum(yuan(total.missingFen))}</p>
            ) : null}
            {(code === "NO_ANSWER" || code === "SESSION_ENDED") && (
              <button type="button" class="button plain" onClick={() => go("orders")}>
                {words.orders}
              </button>
            )}
          </div>
          {mending ? (
            <button type="button" class="button primary wide" onClick={desk.mend}>
              {words.mend}
            </button>
          ) : (
            <button
              type="button"
              class="button primary wide"
              disabled={busy || desk.shut !== undefined || total.missingFen > 0 || offered.length === 0}
              onClick={() => submit(total.totalFen)}
            >
              {busy ? words.submitting : words.submit(yuan(total.totalFen))}
            </button>
          )}
        </>
      }
    >
      <fieldset class="panel" disabled={busy}>
        <legend class="unseen">{words.howToEat}</legend>
        <div class="services">
          {all
            .filter((one) => shop.services[one])
            .map((one) => (
              <label key={one} class="service">
                <input
                  type="radio"
                  name="service"
                  checked={one === service}
                  disabled={!offered.includes(one)}
                  onChange={() => choose(one)}
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

      {service === "delivery" && (
        <fieldset class="panel" disabled={busy}>
          <legend>{words.deliverTo}</legend>
          <ContactFields contact={contact} wrong={asked ? wrong : {}} onChange={setContact} />
        </fieldset>
      )}

      <section class="panel" aria-label={words.dishes}>
        {busy ? <CartLines desk={desk} fixed /> : <CartLines desk={desk} />}
        <dl class="sums">
          {total.packingFen > 0 && <Sum name={words.packing} value={yuan(total.packingFen)} />}
          {service === "delivery" && (
            <Sum name={words.deliveryFee} value={total.deliveryFen === 0 ? words.free : yuan(total.deliveryFen)} />
          )}
          <Sum name={words.total} value={yuan(total.totalFen)} strong />
        </dl>
        <p class="quiet right">{words.payLater[service]}</p>
      </section>

      <div class="panel">
        <label class="field">
          <span>{words.orderNote}</span>
          <textarea
            rows={2}
            maxLength={200}
            value={cart.note}
            disabled={busy}
            placeholder={words.orderNoteHint}
            onInput={({ currentTarget }) => desk.change({ ...cart, note: currentTarget.value })}
          />
        </label>
      </div>

      {newTotalFen !== undefined && refused !== undefined && !busy && (
        <Dialog
          middle
          title={words.priceChangedTitle}
          closeLabel={words.close}
          onClose={forgetRefusal}
          footer={
            <>
              <button type="button" class="button" onClick={forgetRefusal}>
                {words.lookAgain}
              </button>
              <button
                type="button"
                class="button primary"
                onClick={() => {
                  desk.mend();
                  submit(newTotalFen);
                }}
              >
                {words.acceptPrice(yuan(newTotalFen))}
              </button>
            </>
          }
        >
          <p>{words.priceChanged(yuan(refused.bill.expectedTotalFen ?? 0), yuan(newTotalFen))}</p>
        </Dialog>
      )}
    </Page>
  );
}

const terms = ({ feeFen, minimumFen, freeFromFen }: { feeFen: number; minimumFen: number; freeFromFen?: number }) =>
  words.deliveryTerms(yuan(feeFen), yuan(minimumFen), freeFromFen === undefined ? undefined : yuan(freeFromFen));

function Sum({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  return (
    <div class={strong ? "row strong" : "row"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

type Wrong = Partial<Record<keyof Contact, string>>;

function wrongIn({ name, phone, address }: Contact): Wrong {
  return {
    ...(name.trim() === "" && { name: words.nameMissing }),
    ...(!telephone.test(phone.trim()) && { phone: words.phoneWrong }),
    ...(address.trim() === "" && { address: words.addressMissing }),
  };
}

function ContactFields(props: { contact: Contact; wrong: Wrong; onChange(contact: Contact): void }) {
  const { contact, wrong, onChange } = props;
  const field = (name: keyof Contact, more: object) => (
    <label class="field">
      <span>{words[name]}</span>
      <input
        id={`contact-${name}`}
        value={contact[name]}
        aria-invalid={wrong[name] !== undefined}
        aria-describedby={wrong[name] === undefined ? undefined : `wrong-${name}`}
        onInput={({ currentTarget }) => onChange({ ...contact, [name]: currentTarget.value })}
        {...more}
      />
      {wrong[name] !== undefined && <em id={`wrong-${name}`}>{wrong[name]}</em>}
    </label>
  );
  return (
    <div class="fields">
      {field("name", { autocomplete: "name", maxLength: 40 })}
      {field("phone", { autocomplete: "tel", inputMode: "tel", type: "tel", maxLength: 20 })}
      {field("address", { autocomplete: "street-address", maxLength: 200, placeholder: words.addressHint })}
      <p class="quiet">{words.keptHere}</p>
    </div>
  );
}

/** The cart's lines, their changes, and the button that corrects them. */
import { useState } from "preact/hooks";
import { maxQuantity } from "../../shared/order_states.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { Stepper } from "../shared/stepper.tsx";
import { type Cart, type CartLine, countOf, emptyCart, keyOf, setQuantity, shownFen, type Trouble } from "./cart.ts";
import { localName, words } from "./dictionary.ts";
import { Extras } from "./extras.tsx";
import { Empty } from "./page.tsx";
import { go } from "./route.ts";
import type { ShopView } from "./shop_view.ts";

export function CartSheet({ view, onClose, onCheckout }: { view: ShopView; onClose(): void; onCheckout(): void }) {
  const { cart, total } = view;
  const empty = cart.lines.length === 0;
  const [cleared, setCleared] = useState<Cart>();
  return (
    <Dialog
      title={empty ? words.cart : `${words.cart} · ${words.items(countOf(cart.lines))}`}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        empty ? undefined : (
          <button type="button" class="button primary" onClick={onCheckout}>
            {words.checkoutTotal(yuan(total.totalFen))}
          </button>
        )
      }
    >
      {empty ? (
        <Empty title={words.emptyCart} hint={words.emptyCartHint}>
          {cleared !== undefined && (
            <button type="button" class="button" onClick={() => view.change(cleared)}>
              {words.undo}
            </button>
          )}
        </Empty>
      ) : (
        <>
          <CartLines view={view} />
          <Extras total={total} />
          <button
            type="button"
            class="button plain clear"
            onClick={() => {
              setCleared(cart);
              view.change(emptyCart);
            }}
          >
            {words.clearCart}
          </button>
        </>
      )}
    </Dialog>
  );
}

export function CartLines({ view, fixed = false }: { view: ShopView; fixed?: boolean }) {
  const { cart, troubles } = view;
  return (
    <>
      <FixCart view={view} />
      <ul class="lines">
        {cart.lines.map((line, at) => (
          <LineRow key={keyOf(line)} view={view} line={line} at={at} trouble={troubles[at]} fixed={fixed} />
        ))}
      </ul>
    </>
  );
}

/** Shows that lines have changed, and a button that corrects them. */
export function FixCart({ view }: { view: ShopView }) {
  return (
    <div role="status">
      {view.troubles.some(Boolean) && (
        <p class="banner warn rounded">
          <span>{words.changed}</span>
          <button type="button" onClick={view.fixCart}>
            {words.mend}
          </button>
        </p>
      )}
    </div>
  );
}

function LineRow(props: { view: ShopView; line: CartLine; at: number; trouble: Trouble | undefined; fixed: boolean }) {
  const { view, line, at, trouble, fixed } = props;
  const dish = view.info.menu.dishes.find(({ id }) => id === line.dish);
  const name = localName(dish?.names) || line.dish;
  const fen = shownFen(line, view.info.menu, trouble);
  const choices = line.options.flatMap(({ option, choices: taken }) => {
    const known = dish?.options.find(({ id }) => id === option);
    return taken.map((choice) => localName(known?.choices.find(({ id }) => id === choice)?.names));
  });
  return (
    <li class={fen === undefined ? "line over" : "line"}>
      <div class="about">
        {fixed || dish === undefined ? (
          <strong>{name}</strong>
        ) : (
          <button
            type="button"
            id={`line-${at}`}
            class="name"
            aria-label={`${words.edit} ${name}`}
            onClick={() => go(`line=${at}`)}
          >
            {name}
          </button>
        )}
        {choices.length > 0 && <span class="quiet">{choices.filter(Boolean).join(" · ")}</span>}
        {line.note !== "" && <span class="quiet">{words.noted(line.note)}</span>}
        {trouble !== undefined && <span class="trouble">{troubleText(trouble)}</span>}
      </div>
      <span class="price">{fen !== undefined && yuan(fen)}</span>
      {fixed ? (
        <span class="times">×{line.quantity}</span>
      ) : (
        <Stepper
          quantity={line.quantity}
          of={name}
          words={words}
          max={maxQuantity}
          onChange={(quantity) => view.change(setQuantity(view.cart, at, quantity))}
        />
      )}
    </li>
  );
}

function troubleText(trouble: Trouble): string {
  switch (trouble.kind) {
    case "gone":
      return words.gone;
    case "sold out":
      return words.soldOut;
    case "options":
      return words.optionsChanged;
    case "few":
      return words.onlyLeft(trouble.left);
    case "price":
      return words.newPrice(yuan(trouble.wasFen), yuan(trouble.nowFen));
  }
}

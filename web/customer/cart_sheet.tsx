/** The cart's lines, what has changed in them, and the one tap that mends it. */
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { Stepper } from "../shared/stepper.tsx";
import { type CartLine, countOf, emptyCart, maxQuantity, setQuantity, type Trouble, totalOf, unitFen } from "./cart.ts";
import type { Desk } from "./desk.ts";
import { Empty } from "./page.tsx";
import { say, words } from "./speak.ts";

export function CartSheet({ desk, onClose, onCheckout }: { desk: Desk; onClose(): void; onCheckout(): void }) {
  const { cart, info } = desk;
  const empty = cart.lines.length === 0;
  return (
    <Dialog
      title={empty ? words.cart : `${words.cart} · ${words.items(countOf(cart.lines))}`}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        empty ? undefined : (
          <button type="button" class="button primary" onClick={onCheckout}>
            {words.checkoutTotal(yuan(totalOf(cart.lines, info.menu, "table", null).itemsFen))}
          </button>
        )
      }
    >
      {empty ? (
        <Empty title={words.emptyCart} hint={words.emptyCartHint} />
      ) : (
        <>
          <CartLines desk={desk} />
          <button type="button" class="button plain clear" onClick={() => desk.change(emptyCart)}>
            {words.clearCart}
          </button>
        </>
      )}
    </Dialog>
  );
}

export function CartLines({ desk, fixed = false }: { desk: Desk; fixed?: boolean }) {
  const { cart, found } = desk;
  return (
    <>
      <Mending desk={desk} />
      <ul class="lines">
        {cart.lines.map((line, at) => (
          <LineRow key={JSON.stringify(line)} desk={desk} line={line} at={at} trouble={found[at]} fixed={fixed} />
        ))}
      </ul>
    </>
  );
}

/** Says that something has changed, and offers to put it right. */
export function Mending({ desk }: { desk: Desk }) {
  return (
    <div role="status">
      {desk.found.some(Boolean) && (
        <p class="banner warn rounded">
          <span>{words.changed}</span>
          <button type="button" onClick={desk.mend}>
            {words.mend}
          </button>
        </p>
      )}
    </div>
  );
}

function LineRow(props: { desk: Desk; line: CartLine; at: number; trouble: Trouble | undefined; fixed: boolean }) {
  const { desk, line, at, trouble, fixed } = props;
  const dish = desk.info.menu.dishes.find(({ id }) => id === line.dish);
  const name = say(dish?.names) || line.dish;
  const one = (dish && unitFen(dish, line.options)) ?? line.seenFen;
  const gone = trouble !== undefined && trouble.kind !== "price" && trouble.kind !== "few";
  const choices = line.options.flatMap(({ option, choices: taken }) => {
    const known = dish?.options.find(({ id }) => id === option);
    return taken.map((choice) => say(known?.choices.find(({ id }) => id === choice)?.names));
  });
  return (
    <li class={gone ? "line over" : "line"}>
      <div class="about">
        <strong>{name}</strong>
        {choices.length > 0 && <span class="quiet">{choices.filter(Boolean).join(" · ")}</span>}
        {line.note !== "" && <span class="quiet">“{line.note}”</span>}
        {trouble !== undefined && <span class="trouble">{troubleText(trouble)}</span>}
      </div>
      <span class="price">{yuan(one * line.quantity)}</span>
      {fixed ? (
        <span class="times">×{line.quantity}</span>
      ) : (
        <Stepper
          quantity={line.quantity}
          of={name}
          words={words}
          max={maxQuantity}
          onChange={(quantity) => desk.change(setQuantity(desk.cart, at, quantity))}
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

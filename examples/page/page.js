/** Example page: a menu, an order and its state. In a project with the package: `from "orderbell-sdk/browser"`. */
import { createClient } from "../../dist/sdk/browser.js";

const address = new URLSearchParams(location.search);
const shop = address.get("shop") ?? "lanzhou-noodles";
const client = createClient({ url: address.get("api") ?? location.origin });

const at = (id) => document.getElementById(id);
const nameOf = ({ names }) => names.en ?? names.zh;
const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;

function item(text) {
  const one = document.createElement("li");
  // As text, never as HTML: names are untrusted input.
  one.textContent = text;
  return one;
}

/** The browser stores the bill until it is answered, so a lost answer or a reload makes no second order. */
async function order(dish) {
  try {
    await client.submit({ shop, service: "pickup", lines: [{ dish: dish.id, quantity: 1, options: [] }] });
  } catch (error) {
    at("state").textContent = `${nameOf(dish)}: ${error.code}`;
  }
}

function show(dish, soldOut) {
  const one = item(`${nameOf(dish)} ${yuan(dish.priceFen)} `);
  const button = document.createElement("button");
  button.textContent = `Order ${nameOf(dish)}`;
  // A dish with required options needs a form of its own.
  button.disabled = soldOut || dish.options.some(({ min }) => min > 0);
  button.onclick = () => order(dish);
  one.append(button);
  return one;
}

// Called with the whole state: first the current one, then after each change.
client.watch("menu", {
  shop,
  onChange({ shop: brief, menu, soldOut }) {
    at("shop").textContent = nameOf(brief);
    at("menu").replaceChildren(...menu.dishes.map((dish) => show(dish, soldOut.includes(dish.id))));
  },
});
client.watch("orders", {
  onChange: (orders) =>
    at("orders").replaceChildren(...orders.map(({ number, status }) => item(`${number}: ${status}`))),
});
client.onState((state) => {
  at("state").textContent = state;
});

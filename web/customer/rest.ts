/** What is not needed to see the menu, the SDK too: one file, fetched when the menu is there. */
import "./rest.css";

export { Account } from "./account.tsx";
export { Checkout } from "./checkout.tsx";
export { client } from "./client.ts";
export { Connection } from "./connection.tsx";
export { DishSheet } from "./dish_sheet.tsx";
export { OrderPage } from "./order.tsx";
export { Orders } from "./orders.tsx";

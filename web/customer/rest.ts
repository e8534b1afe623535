/** Parts not needed for the menu, with the SDK: one bundle, fetched after the menu is shown. */
import "./rest.css";

export { Account } from "./account.tsx";
export { ActiveOrders } from "./active_orders.tsx";
export { CartLines, CartSheet } from "./cart_sheet.tsx";
export { Checkout } from "./checkout.tsx";
export { client } from "./client.ts";
export { Connection } from "./connection.tsx";
export { DishSheet } from "./dish_sheet.tsx";
export { OrderPage } from "./order.tsx";
export { Orders } from "./orders.tsx";

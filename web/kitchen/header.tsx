/** Header: the shop's switch, the device's name, the connection's state, and the buttons of the dialogs. */
import type { Role, ShopBrief } from "../../clients/types.ts";
import type { OpenDialog } from "./actions.ts";
import { localName, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import type { Connection } from "./use_connection.ts";

export interface HeaderProps {
  shop: ShopBrief | undefined;
  role: Role;
  switching: boolean;
  connection: Connection;
  heardAt: string;
  soldOut: number;
  onOpen(open: boolean): void;
  show(what: OpenDialog): void;
}

export function Header({ shop, role, switching, connection, heardAt, soldOut, onOpen, show }: HeaderProps) {
  const open = shop?.open === true;
  return (
    <header class="top">
      <button
        type="button"
        class={open ? "shop-switch open" : "shop-switch"}
        role="switch"
        aria-checked={open}
        aria-label={open ? `${words.open}. ${words.closeShop}` : `${words.closed}. ${words.openShop}`}
        aria-disabled={shop === undefined || switching}
        onClick={() => shop === undefined || switching || onOpen(!open)}
      >
        <span class="knob" aria-hidden="true" />
        <span>{open ? words.open : words.closed}</span>
      </button>
      <div class="whose">
        <h1>{localName(shop?.names)}</h1>
        <p>{words.role[role]}</p>
      </div>
      <p class={`line-state ${connection}`}>
        <span class="dot" aria-hidden="true" />
        <span>
          {words.line[connection]}
          <small>
            {words.lastUpdate} <time>{heardAt}</time>
          </small>
        </span>
      </p>
      <nav aria-label={words.more}>
        <button type="button" class="button plain" onClick={() => show({ kind: "totals" })}>
          <Icon name="totals" />
          <span>{words.totals}</span>
        </button>
        <button type="button" class="button plain" onClick={() => show({ kind: "dishes" })}>
          <Icon name="soldOut" />
          <span>
            {words.dishes}
            {soldOut > 0 && (
              <b class="count" title={words.soldOutCount(soldOut)}>
                {soldOut}
              </b>
            )}
          </span>
        </button>
        <button type="button" class="button plain" onClick={() => show({ kind: "recall" })}>
          <Icon name="recall" />
          <span>{words.recallList}</span>
        </button>
        <button type="button" class="button plain" onClick={() => show({ kind: "settings" })}>
          <Icon name="settings" />
          <span>{words.settings}</span>
        </button>
      </nav>
    </header>
  );
}

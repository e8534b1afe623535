/** Banners of full width, for states that must be seen: no sound, no connection, waiting orders, errors. */
import type { Notification, OrderView, ShopBrief } from "../../clients/types.ts";
import { serverTimeOf } from "../shared/clock.ts";
import { type Bell, isEscalated } from "./bell.ts";
import { clockTime, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import type { Connection } from "./use_connection.ts";
import type { Shift } from "./use_shift.ts";
import type { Trouble } from "./use_troubles.ts";

export interface BannersProps {
  connection: Connection;
  heardAt: number;
  shift: Shift;
  bell: Bell;
  orders: readonly OrderView[];
  shop: ShopBrief | undefined;
  onSilence(): void;
  /** Scrolls to the first waiting order. */
  onShow(): void;
}

export function Banners({ connection, heardAt, shift, bell, orders, shop, onSilence, onShow }: BannersProps) {
  const waiting = orders.filter(({ status }) => status === "placed");
  const escalated = waiting.filter(isEscalated).length;
  return (
    <div class="banners">
      <div role="alert">
        {connection === "lost" && (
          <div class="strip lost">
            <Icon name="lost" size={28} />
            <p>
              <strong>{words.lostTitle}</strong>
              <span>
                {words.lastUpdate} <time>{heardAt > 0 ? clockTime(serverTimeOf(heardAt)) : "–"}</time> ·{" "}
                {words.lostHint}
              </span>
            </p>
          </div>
        )}
      </div>
      {!shift.soundOn && waiting.length === 0 && (
        <div class="strip sound-off" data-slot>
          <Icon name="mute" size={28} />
          <p>
            <strong>{words.soundOff}</strong> <span>{words.soundOffHint}</span>
          </p>
          <StartShift shift={shift} />
        </div>
      )}
      <div role="status">
        {connection === "polling" && <p class="strip thin">{words.pollingLine}</p>}
        {shop?.open === false && <p class="strip thin">{words.closedLine}</p>}
      </div>
      {waiting.length > 0 && (
        <div data-slot class={`strip bell ${escalated > 0 && bell !== "touched" ? "louder" : bell}`}>
          <Icon name={shift.soundOn ? "bell" : "mute"} size={28} />
          <p>
            <strong>{escalated > 0 ? words.escalated(escalated) : words.waiting(waiting.length)}</strong>{" "}
            {shift.soundOn ? bell === "touched" && <span>{words.silenced}</span> : <span>{words.soundOff}</span>}
          </p>
          {!shift.soundOn && <StartShift shift={shift} />}
          <button type="button" class="button" onClick={onShow}>
            {words.showWaiting}
          </button>
          {bell !== "touched" && (
            <button type="button" class="button" onClick={onSilence}>
              {words.silence}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

const StartShift = ({ shift }: { shift: Shift }) => (
  <button type="button" class="button" onClick={() => void shift.start()}>
    {shift.started ? words.turnOn : words.startShift}
  </button>
);

export interface TroublesProps {
  troubles: readonly Trouble[];
  notices: readonly Notification[];
  /** Shown without a close button. */
  over: string | undefined;
  onDismiss(trouble: number): void;
  onNotice(notice: string): void;
}

/** Errors stay until somebody closes them or they are over: a failed step must not be taken for a successful one. */
export function Troubles({ troubles, notices, over, onDismiss, onNotice }: TroublesProps) {
  return (
    <div class="troubles">
      <div role="alert">
        {over !== undefined && <p class="strip lost">{over}</p>}
        {troubles.map(({ id, text }) => (
          <div key={id} class="trouble-line" data-slot>
            <p>{text}</p>
            <button type="button" class="button" onClick={() => onDismiss(id)}>
              {words.close}
            </button>
          </div>
        ))}
      </div>
      <div role="status">
        {notices.map(({ id, title, body }) => (
          <div key={id} class="trouble-line notice" data-slot>
            <p>
              <strong>{title}</strong> {body}
            </p>
            <button type="button" class="button" onClick={() => onNotice(id)}>
              {words.close}
            </button>
          </div>
        ))}
      </div>
    </div>
  );
}

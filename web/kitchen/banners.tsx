/** Lines across the whole width, for what nobody may overlook: no sound, no connection, orders that wait, refusals. */
import type { Notification, OrderView, ShopBrief } from "../../clients/types.ts";
import { type Bell, isEscalated } from "./bell.ts";
import { Icon } from "./icons.tsx";
import { clockTime, words } from "./speak.ts";
import type { Line } from "./use_line.ts";
import type { Shift } from "./use_shift.ts";
import type { Trouble } from "./use_steps.ts";

export interface BannersProps {
  line: Line;
  heardAt: number;
  shift: Shift;
  bell: Bell;
  orders: readonly OrderView[];
  shop: ShopBrief | undefined;
  onSilence(): void;
  /** Brings the first order that waits before the eyes. */
  onShow(): void;
}

export function Banners({ line, heardAt, shift, bell, orders, shop, onSilence, onShow }: BannersProps) {
  const waiting = orders.filter(({ status }) => status === "placed");
  const escalated = waiting.filter(isEscalated).length;
  return (
    <div class="banners">
      <div role="alert">
        {line === "lost" && (
          <div class="strip lost">
            <Icon name="lost" size={32} />
            <p>
              <strong>{words.lostTitle}</strong>
              <span>
                {words.lastUpdate} <time>{clockTime(heardAt)}</time> · {words.lostHint}
              </span>
            </p>
          </div>
        )}
      </div>
      {!shift.soundOn && (
        <div class="strip sound-off">
          <Icon name="mute" size={32} />
          <p>
            <strong>{words.soundOff}</strong>
            <span>{words.soundOffHint}</span>
          </p>
          <button type="button" class="button" onClick={() => void shift.start()}>
            {shift.started ? words.turnOn : words.startShift}
          </button>
        </div>
      )}
      <div role="status">
        {line === "polling" && <p class="strip thin">{words.pollingLine}</p>}
        {shop?.open === false && <p class="strip thin">{words.closedLine}</p>}
      </div>
      {waiting.length > 0 && (
        <div class={`strip bell ${escalated > 0 && bell !== "touched" ? "louder" : bell}`}>
          <Icon name="bell" size={32} />
          <p>
            <strong>{escalated > 0 ? words.escalated(escalated) : words.waiting(waiting.length)}</strong>
            {bell === "touched" && <span>{words.silenced}</span>}
          </p>
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

export interface TroublesProps {
  troubles: readonly Trouble[];
  notices: readonly Notification[];
  /** Said without a way to put it away. */
  over: string | undefined;
  onDismiss(trouble: number): void;
  onNotice(notice: string): void;
}

/** Refusals stay until somebody has read them: a step that was not taken must not be believed taken. */
export function Troubles({ troubles, notices, over, onDismiss, onNotice }: TroublesProps) {
  return (
    <div class="troubles">
      <div role="alert">
        {over !== undefined && <p class="strip lost">{over}</p>}
        {troubles.map(({ id, text }) => (
          <div key={id} class="trouble-line">
            <p>{text}</p>
            <button type="button" class="button" onClick={() => onDismiss(id)}>
              {words.close}
            </button>
          </div>
        ))}
      </div>
      <div role="status">
        {notices.map(({ id, title, body }) => (
          <div key={id} class="trouble-line notice">
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

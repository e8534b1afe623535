/** A subscription whose grant may be renewed while it goes on. */
import type { ApiError } from "../api.ts";
import { openSubscription } from "../subscription.ts";
import type { Grants } from "./grants.ts";

export interface GrantedListeners {
  /** Called about once a second, and when a socket has opened. */
  _tick(): void;
  /** The socket is lost. */
  _lost(): void;
  /** The subscription was closed; by this error, if by any. */
  _close(error?: ApiError): void;
}

/** Opens such a subscription, for `channel.subscribe`. */
export const granted =
  (grants: Grants, on: GrantedListeners): typeof openSubscription =>
  (platform, stream, subscription, listeners) => {
    /** The grant of the last question. */
    let used: string | undefined;
    let failed: ApiError | undefined;
    const sub = openSubscription(platform, stream, subscription, {
      ...listeners,
      _heard(answer) {
        grants._accept();
        listeners._heard(answer);
      },
      _error(error) {
        // Whoever fetches the state renews the grant by itself.
        if (sub._position() && grants._refuse(used, error)) {
          // Its question was answered.
          _disconnect(false);
          grants._get().then(listeners._ask, fail);
        } else fail(error);
      },
    });
    function fail(error: unknown): void {
      failed = error as ApiError;
      listeners._error(error);
      failed = undefined;
    }
    const { _mayAsk, _isDue, _ask, _disconnect, close } = sub;
    const more = {
      _mayAsk() {
        on._tick();
        return grants._now() !== undefined && _mayAsk();
      },
      _isDue() {
        on._tick();
        return _isDue();
      },
      _ask(...[asks, number]: Parameters<typeof _ask>) {
        const fits = _ask(asks, number);
        const own = asks.get(stream);
        if (fits && own) own.grant = used = grants._now();
        return fits;
      },
      _disconnect(polling: boolean) {
        _disconnect(polling);
        on._lost();
      },
      close() {
        close();
        on._close(failed);
      },
    };
    // Polling reads it too.
    return Object.defineProperty(Object.assign(sub, more), "grant", { get: () => (used = grants._now()) });
  };

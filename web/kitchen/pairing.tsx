/** Pairing of this device: by a code that is typed, or one from the link. */
import { useEffect, useRef, useState } from "preact/hooks";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { type ApiError, isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { why, words } from "./dictionary.ts";

export interface PairingProps {
  /** The code from the link. */
  code: string | undefined;
  /** This device was paired until now. */
  ended: boolean;
  /** There is a session, so that pairing can be cancelled. */
  back: boolean;
  onDone(): void;
}

export function Pairing({ code, ended, back, onDone }: PairingProps) {
  const [typed, setTyped] = useState(code ?? "");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<ApiError>();
  const field = useRef<HTMLInputElement>(null);

  async function pair(with_: string): Promise<void> {
    if (busy || with_.trim() === "") return field.current?.focus();
    setBusy(true);
    setRefused(undefined);
    try {
      await client.pair(with_.trim());
      onDone();
    } catch (error) {
      setRefused(isApiError(error) ? error : undefined);
      setBusy(false);
      field.current?.focus();
    }
  }
  useEffect(() => {
    if (code === undefined) return;
    setTyped(code);
    void pair(code);
  }, [code]);

  return (
    <main class="pairing">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void pair(typed);
        }}
      >
        <header>
          <span class="mark" aria-hidden="true" />
          <h1>{words.pairTitle}</h1>
          <LanguageSwitch />
        </header>
        {ended && refused === undefined && <p class="banner warn">{words.unpaired}</p>}
        <label class="field">
          <span>{words.pairCode}</span>
          <input
            ref={field}
            name="code"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            placeholder="XXXX-XXXX-XXXX"
            aria-invalid={refused !== undefined}
            aria-describedby="pairing-trouble"
          />
        </label>
        <p id="pairing-trouble" class="trouble" role="alert">
          {refused !== undefined && why(refused)}
        </p>
        <button type="submit" class="button primary wide" aria-disabled={busy}>
          {busy ? words.pairing : words.pair}
        </button>
        {back && (
          <button type="button" class="button plain wide" onClick={onDone}>
            {words.back}
          </button>
        )}
        <p class="quiet">{words.pairHint}</p>
        <p class="quiet">{words.pairByLink}</p>
      </form>
    </main>
  );
}

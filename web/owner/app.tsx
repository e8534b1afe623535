/** The owner's page by session: the owner's sections, a notice for other staff, or the sign-in. */
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../../clients/browser.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { Toasts } from "../shared/toast.tsx";
import { client, codeOf, reasonOf } from "./client.ts";
import { words } from "./dictionary.ts";
import { Sections } from "./sections.tsx";

/** `#pair=K7QM-2XPA-9TRW`, removed from the address once read: a reload must not show the code again. */
function codeInAddress(): string | undefined {
  const code = /^#pair=([^&]+)/.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

export function App() {
  const [session, setSession] = useState<Session | undefined>(client.session());
  const [code] = useState(codeInAddress);
  const [pairing, setPairing] = useState(code !== undefined);
  const [wrong, setWrong] = useState<string>();
  useEffect(() => client.onSession(setSession), []);

  const pair = async (text: string) => {
    setPairing(true);
    setWrong(undefined);
    try {
      setSession(await client.pair(text.trim().toUpperCase()));
    } catch (error) {
      const isCode = codeOf(error) === "PAIRING_CODE_INVALID" || codeOf(error) === "INVALID_INPUT";
      setWrong(isCode ? words.pairingInvalid : reasonOf(error));
    }
    setPairing(false);
  };
  useEffect(() => {
    if (code !== undefined) void pair(code);
  }, []);

  const { shop, role } = session ?? {};
  return (
    <>
      {pairing ? (
        <Splash />
      ) : shop !== undefined && role === "owner" ? (
        <Sections key={`${session?.id}`} id={shop} session={session as Session} />
      ) : (
        <SignIn wrong={wrong} foreign={session !== undefined} onCode={(text) => void pair(text)} />
      )}
      <Toasts />
    </>
  );
}

function Splash() {
  return (
    <main class="entrance" aria-busy="true">
      <div class="waiting block" />
    </main>
  );
}

interface SignInProps {
  wrong: string | undefined;
  /** The user is signed in, but not as an owner. */
  foreign: boolean;
  onCode(code: string): void;
}

function SignIn({ wrong, foreign, onCode }: SignInProps) {
  const [text, setText] = useState("");
  return (
    <main class="entrance">
      <div class="corner">
        <LanguageSwitch />
      </div>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") onCode(text);
        }}
      >
        <h1>{foreign ? words.notOwner : words.signIn}</h1>
        <p class="soft">{foreign ? words.notOwnerHint : words.signInHint}</p>
        <label class="field">
          <span>{words.pairingCode}</span>
          <input
            class="code"
            value={text}
            placeholder="XXXX-XXXX-XXXX"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            aria-invalid={wrong !== undefined}
            aria-describedby={wrong === undefined ? undefined : "wrong"}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          {wrong !== undefined && (
            <em id="wrong" role="alert">
              {wrong}
            </em>
          )}
        </label>
        <button type="submit" class="button primary wide">
          {words.enter}
        </button>
        {foreign && (
          <a class="button wide" href="/kitchen">
            {words.openKitchen}
          </a>
        )}
      </form>
    </main>
  );
}

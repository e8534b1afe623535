/** Account page: the user and the end of the session, the data stored on this phone, and signing out. */
import { useEffect, useState } from "preact/hooks";
import { toast } from "../shared/toast.tsx";
import { AskDialog } from "./ask_dialog.tsx";
import { client } from "./client.ts";
import { dateOf, words } from "./dictionary.ts";
import { Empty, Page } from "./page.tsx";
import { go } from "./route.ts";
import { readContact, saveContact } from "./stored.ts";
import { SumRow } from "./sum_row.tsx";

export function Account() {
  const [session, setSession] = useState(client.session());
  const [contact, setContact] = useState(readContact);
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    setSession(client.session());
    return client.onSession(setSession);
  }, []);

  const forget = () => {
    saveContact(undefined);
    setContact(readContact());
    toast(words.forgotten);
  };

  return (
    <Page title={words.account}>
      {session === undefined ? (
        <Empty title={words.signedOut} hint={words.signedOutHint}>
          <button
            type="button"
            class="button primary"
            onClick={() => void client.signIn().catch(() => toast(words.noAnswer))}
          >
            {words.signIn}
          </button>
        </Empty>
      ) : (
        <section class="panel" aria-label={words.signedInAs}>
          <dl class="sums">
            <SumRow strong name={words.signedInAs} value={session.user.profile?.nickName ?? words.guest} />
            <SumRow name={words.customerNumber} value={session.user.id.slice(-6)} />
            <SumRow name={words.until} value={dateOf(session.expiresAt)} />
          </dl>
          {session.kind === "guest" && <p class="quiet">{words.guestHint}</p>}
        </section>
      )}
      {contact.address !== "" && (
        <section class="panel" aria-label={words.savedAddress}>
          <div class="row">
            <div class="about grow">
              <strong>{words.savedAddress}</strong>
              <span class="quiet">
                {contact.name} {contact.phone}
                <br />
                {contact.address}
              </span>
            </div>
            <button type="button" class="button small" onClick={forget}>
              {words.forget}
            </button>
          </div>
        </section>
      )}
      <div class="choices">
        <button type="button" class="button" onClick={() => go("orders")}>
          {words.orders}
        </button>
        {session !== undefined && (
          <button type="button" class="button bad" onClick={() => setAsking(true)}>
            {words.signOut}
          </button>
        )}
      </div>
      {asking && (
        <AskDialog
          bad
          title={words.signOutQuestion}
          hint={words.signOutHint}
          no={words.cancel}
          yes={words.signOut}
          onNo={() => setAsking(false)}
          onYes={() => {
            setAsking(false);
            void client.signOut();
          }}
        />
      )}
    </Page>
  );
}

/** The kitchen's page: the kitchen's screen on a paired device, else the pairing. */
import { useEffect, useState } from "preact/hooks";
import type { Role } from "../../clients/types.ts";
import { Toasts } from "../shared/toast.tsx";
import { client } from "./client.ts";
import { Kitchen } from "./kitchen.tsx";
import { Pairing } from "./pairing.tsx";

/** The code of a link `/kitchen#pair=CODE`, removed from the address bar. A fragment is not sent to a server, so it is in no log. */
function takeCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get("pair");
  if (code === null) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}

export function App() {
  const [session, setSession] = useState(client.session());
  const [code, setCode] = useState(takeCode);
  const [was, setWas] = useState(false);
  useEffect(() => {
    setSession(client.session());
    const onHash = () => setCode(takeCode());
    addEventListener("hashchange", onHash);
    const stopListening = client.onSession((now) => {
      if (now === undefined) setWas(true);
      setSession(now);
    });
    return () => {
      removeEventListener("hashchange", onHash);
      stopListening();
    };
  }, []);
  const paired = session?.shop !== undefined && session.role !== undefined;
  return (
    <>
      {paired && code === undefined ? (
        <Kitchen
          key={session.token}
          shop={session.shop as string}
          role={session.role as Role}
          device={session.device ?? ""}
        />
      ) : (
        <Pairing code={code} ended={was} back={paired} onDone={() => setCode(undefined)} />
      )}
      <Toasts />
    </>
  );
}

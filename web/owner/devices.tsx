/** The staff's devices: the list, pairing a new one, removing one. */
import { useEffect, useState } from "preact/hooks";
import type { Session } from "../../clients/browser.ts";
import { Dialog } from "../shared/dialog.tsx";
import { toast } from "../shared/toast.tsx";
import { Changes } from "./changes.tsx";
import { ask, client, showError } from "./client.ts";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { copy } from "./copy.ts";
import { dateOf, timeOf, words } from "./dictionary.ts";
import { ChoiceField, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { Qr } from "./qr.tsx";
import { Failed, Waiting } from "./states.tsx";
import type { Device } from "./types.ts";
import { useQuery } from "./use_query.ts";

type Role = Device["role"];

/** The interval of reloads while a pairing code waits for its device. */
const pollMs = 3_000;

export function Devices({ id, session }: { id: string; session: Session }) {
  const {
    value: devices,
    failed,
    reload,
  } = useQuery(id, async () =>
    (await ask<{ devices: Device[] }>("GET", id, "/devices")).devices.sort((a, b) => (a.seenAt < b.seenAt ? 1 : -1)),
  );
  const [revoking, setRevoking] = useState<Device>();
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState(false);

  if (devices === undefined)
    return failed === undefined ? <Waiting /> : <Failed error={failed} onRetry={() => void reload()} />;
  return (
    <div class="stack">
      <div class="row spread">
        <p class="soft">{words.devicesHint}</p>
        <button type="button" class="button primary" onClick={() => setAdding(true)}>
          <Icon name="add" size={20} />
          {words.newDevice}
        </button>
      </div>
      <section class="card flush" aria-label={words.sections.devices}>
        <ul class="list devices">
          {devices.map((device) => (
            <li key={device.id} class="line" data-slot>
              <div class="name">
                <b>
                  {device.device} <span class="mark">{words.role[device.role]}</span>
                  {device.online && <span class="mark good online">{words.online}</span>}
                  {device.id === session.id && <span class="mark good">{words.thisDevice}</span>}
                </b>
                <small>
                  <span>{words.seenAt(dateOf(device.seenAt))}</span>
                  <span>{words.pairedAt(dateOf(device.createdAt))}</span>
                </small>
              </div>
              {device.id === session.id ? (
                <button type="button" class="button" onClick={() => setLeaving(true)}>
                  {words.signOut}
                </button>
              ) : (
                <button
                  type="button"
                  class="button bad"
                  aria-label={`${words.revoke} ${device.device}`}
                  onClick={() => setRevoking(device)}
                >
                  {words.revoke}
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      {/* Anew when a device came or went. */}
      <Changes key={devices.length} id={id} />
      {adding && (
        <NewDevice
          id={id}
          onPaired={reload}
          onClose={() => {
            setAdding(false);
            void reload();
          }}
        />
      )}
      {revoking !== undefined && (
        <ConfirmDialog
          title={words.revokeAsk(revoking.device)}
          hint={words.revokeHint}
          yes={words.revoke}
          onYes={async () => {
            await ask("DELETE", id, `/devices/${revoking.id}`);
            await reload();
            toast(words.revoked);
          }}
          onClose={() => setRevoking(undefined)}
        />
      )}
      {leaving && (
        <ConfirmDialog
          title={words.signOutAsk}
          hint={words.signOutHint}
          yes={words.signOut}
          onYes={() => client.signOut()}
          onClose={() => setLeaving(false)}
        />
      )}
    </div>
  );
}

interface Code {
  pairingCode: string;
  expiresAt: string;
}

function NewDevice({ id, onPaired, onClose }: { id: string; onPaired(): Promise<unknown>; onClose(): void }) {
  const [role, setRole] = useState<Role>("kitchen");
  const [name, setName] = useState<string>();
  const [code, setCode] = useState<Code>();
  const [busy, setBusy] = useState(false);
  const device = (name ?? words.deviceNames[role]).trim();
  useEffect(() => {
    if (code === undefined) return;
    const timer = setInterval(() => void onPaired(), pollMs);
    return () => clearInterval(timer);
  }, [code]);

  const make = async () => {
    setBusy(true);
    try {
      setCode(await ask<Code>("POST", id, "/pairing", { role, device }));
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };

  if (code !== undefined) {
    const link = `${location.origin}/${role === "owner" ? "owner" : "kitchen"}#pair=${code.pairingCode}`;
    return (
      <Dialog
        middle
        title={device}
        closeLabel={words.close}
        onClose={onClose}
        footer={
          <>
            <button type="button" class="button" onClick={() => copy(link)}>
              {words.copyLink}
            </button>
            <button type="button" class="button primary" onClick={onClose}>
              {words.done}
            </button>
          </>
        }
      >
        <div class="pairing">
          <Qr text={link} label={words.codeQr} />
          <output class="code">{code.pairingCode}</output>
          <p class="soft">{words.codeHint(timeOf(code.expiresAt))}</p>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      middle
      title={words.newDevice}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <button type="button" class="button primary" disabled={busy || device === ""} onClick={() => void make()}>
          {words.makeCode}
        </button>
      }
    >
      <div class="stack">
        <ChoiceField
          label={words.deviceRole}
          value={role}
          choices={(["kitchen", "cashier", "owner"] as const).map((value) => ({
            value,
            label: words.role[value],
            hint: words.roleHint[value],
          }))}
          onChange={(to) => setRole(to)}
        />
        <TextField label={words.deviceName} value={name ?? words.deviceNames[role]} max={64} onInput={setName} />
      </div>
    </Dialog>
  );
}

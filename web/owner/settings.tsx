/** How the shop works: services, bell, guests, limits. */
import { useEffect, useState } from "preact/hooks";
import { toast } from "../shared/toast.tsx";
import { ask, complain } from "./client.ts";
import { Disputed } from "./disputed.tsx";
import { Card, ChoiceField, CountField, isNamed, MinutesField, MoneyField, NamesField, Switch } from "./fields.tsx";
import { isChanged } from "./merge.ts";
import { type Dispute, save } from "./save.ts";
import { words } from "./speak.ts";
import type { Delivery, Names, Settings, Shop } from "./types.ts";

/** Names stand beside the settings; edited and compared they are one. */
type Form = Settings & { names: Names };

const formOf = ({ settings, names }: Shop): Form => ({
  ...settings,
  limits: { ...defaults, ...settings.limits },
  names,
});

/** As shared/menu.ts has them: what a shop has that never said anything. */
const defaults = { perSession: 5, perTable: 10, perAddress: 30, perShop: 300 };
const limits = ["perSession", "perTable", "perAddress", "perShop"] as const;

const newDelivery: Delivery = { feeFen: 500, minimumFen: 2_000 };

export function SettingsRoom({ shop, reload }: { shop: Shop; reload(): Promise<unknown> }) {
  const [base, setBase] = useState({ form: formOf(shop), version: shop.version });
  const [form, setForm] = useState(base.form);
  const [busy, setBusy] = useState(false);
  const [dispute, setDispute] = useState<Dispute<Form>>();
  const set = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  const changed = isChanged(base.form, form);
  // While nothing is being edited, what others change is shown.
  useEffect(() => {
    if (changed) return;
    setBase({ form: formOf(shop), version: shop.version });
    setForm(formOf(shop));
  }, [shop]);

  const { services, notice = {}, names } = form;
  const { delivery } = services;
  const setDelivery = (change: Partial<Delivery> | null) =>
    set({ services: { ...services, delivery: change === null ? null : { ...newDelivery, ...delivery, ...change } } });
  const tooShort = form.expireAfterSec <= form.escalateAfterSec ? words.expireTooShort : undefined;
  const faulty = tooShort !== undefined || !isNamed(names) || hasNaN(form);

  const place = {
    async read() {
      const now = await ask<Shop>("GET", shop.shop, "/menu");
      return { value: formOf(now), version: now.version };
    },
    write: ({ names: to, ...settings }: Form, version: number) =>
      ask("PUT", shop.shop, "/settings", { settings, names: to }, version),
  };

  async function keep(from: typeof base, value: Form): Promise<void> {
    if (faulty) return toast(words.invalid);
    setBusy(true);
    try {
      const saved = await save(place, from.form, value, from.version);
      if (saved.how === "disputed") setDispute(saved);
      else {
        const now = await place.read();
        setBase({ form: now.value, version: now.version });
        setForm(now.value);
        await reload();
        toast(saved.how === "saved" && saved.merged ? words.merged : words.saved);
      }
    } catch (error) {
      complain(error);
    }
    setBusy(false);
  }

  return (
    <form
      class="stack form settings"
      onSubmit={(event) => {
        event.preventDefault();
        void keep(base, form);
      }}
    >
      <Card title={words.shopName}>
        <NamesField
          label={words.shopName}
          names={names}
          error={isNamed(names) ? undefined : words.nameMissing}
          onInput={(to) => set({ names: to })}
        />
        <NamesField
          label={words.notice}
          hint={words.noticeHint}
          names={notice}
          rows={2}
          onInput={(to) => setForm(({ notice: _, ...rest }) => (isNamed(to) ? { ...rest, notice: to } : rest))}
        />
      </Card>
      <Card title={words.services}>
        <Switch
          label={words.atTable}
          checked={services.table}
          onChange={(table) => set({ services: { ...services, table } })}
        />
        <Switch
          label={words.pickup}
          checked={services.pickup}
          onChange={(pickup) => set({ services: { ...services, pickup } })}
        />
        <Switch
          label={words.delivery}
          hint={words.deliveryHint}
          checked={delivery !== null}
          onChange={(on) => setDelivery(on ? {} : null)}
        />
        {delivery !== null && (
          <div class="triple">
            <MoneyField
              required
              label={words.fee}
              value={delivery.feeFen}
              onInput={(feeFen) => setDelivery({ feeFen: feeFen ?? 0 })}
            />
            <MoneyField
              required
              label={words.minimum}
              value={delivery.minimumFen}
              onInput={(minimumFen) => setDelivery({ minimumFen: minimumFen ?? 0 })}
            />
            <MoneyField
              label={words.freeFrom}
              hint={words.freeFromHint}
              value={delivery.freeFromFen}
              onInput={(fen) => {
                const { freeFromFen: _, ...rest } = delivery;
                set({ services: { ...services, delivery: fen === undefined ? rest : { ...rest, freeFromFen: fen } } });
              }}
            />
          </div>
        )}
      </Card>
      <Card title={words.kitchen}>
        <div class="pair">
          <MinutesField
            required
            label={words.escalateAfter}
            hint={words.escalateHint}
            value={form.escalateAfterSec}
            onInput={(seconds) => set({ escalateAfterSec: seconds ?? Number.NaN })}
          />
          <MinutesField
            required
            label={words.expireAfter}
            hint={words.expireHint}
            error={tooShort}
            value={form.expireAfterSec}
            onInput={(seconds) => set({ expireAfterSec: seconds ?? Number.NaN })}
          />
        </div>
        <Switch
          label={words.refuseWhenOffline}
          hint={words.refuseWhenOfflineHint}
          checked={form.refuseWhenOffline}
          onChange={(refuseWhenOffline) => set({ refuseWhenOffline })}
        />
      </Card>
      <Card title={words.guests}>
        <ChoiceField
          label={words.guests}
          value={form.guests}
          choices={[
            { value: "take", label: words.guestsTake, hint: words.guestsTakeHint },
            { value: "counter", label: words.guestsCounter, hint: words.guestsCounterHint },
            { value: "refuse", label: words.guestsRefuse, hint: words.guestsRefuseHint },
          ]}
          onChange={(guests) => set({ guests })}
        />
      </Card>
      <Card title={words.limits}>
        <p class="soft">{words.limitsHint}</p>
        <div class="quadruple">
          {limits.map((limit) => (
            <CountField
              key={limit}
              label={words[limit]}
              value={form.limits[limit] ?? undefined}
              onInput={(count) => set({ limits: { ...form.limits, [limit]: count ?? null } })}
            />
          ))}
        </div>
      </Card>
      <div class={changed ? "save-bar" : "save-bar idle"}>
        <span role="status">{changed ? words.unsaved : ""}</span>
        {changed && (
          <button type="button" class="button" onClick={() => setForm(base.form)}>
            {words.discard}
          </button>
        )}
        <button type="submit" class="button primary" disabled={busy || !changed}>
          {busy ? words.saving : words.save}
        </button>
      </div>
      {dispute !== undefined && (
        <Disputed
          dispute={dispute}
          onClose={() => setDispute(undefined)}
          onChosen={(value, { value: form, version }) => {
            setForm(value);
            setBase({ form, version });
            void keep({ form, version }, value);
          }}
        />
      )}
    </form>
  );
}

const hasNaN = (value: unknown): boolean =>
  Number.isNaN(value) || (value !== null && typeof value === "object" && Object.values(value).some(hasNaN));

/** The settings of a shop: services, bell, guests, limits. */
import { maxDescription } from "../../shared/protocol.ts";
import { ConflictDialog } from "./conflict_dialog.tsx";
import { words } from "./dictionary.ts";
import { Card, ChoiceField, CountField, isNamed, MinutesField, MoneyField, NamesField, Switch } from "./fields.tsx";
import type { Delivery, Shop } from "./types.ts";
import { expiresTooSoon, type SettingsForm, useSettingsEdit } from "./use_settings_edit.ts";

export function SettingsSection({ shop, reload }: { shop: Shop; reload(): Promise<unknown> }) {
  const edit = useSettingsEdit(shop, reload);
  const { form, changed, conflict } = edit;
  const set = (change: Partial<SettingsForm>) => edit.setForm((now) => ({ ...now, ...change }));
  const { notice = {}, names } = form;
  return (
    <form
      class="stack form settings"
      onSubmit={(event) => {
        event.preventDefault();
        void edit.save();
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
          max={maxDescription}
          rows={2}
          onInput={(to) => edit.setForm(({ notice: _, ...rest }) => (isNamed(to) ? { ...rest, notice: to } : rest))}
        />
      </Card>
      <ServicesCard services={form.services} onChange={(services) => set({ services })} />
      <KitchenCard form={form} onChange={set} />
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
      <LimitsCard limits={form.limits} onChange={(limits) => set({ limits })} />
      <div class={changed ? "save-bar" : "save-bar idle"}>
        <span role="status">{changed ? words.unsaved : ""}</span>
        {changed && (
          <button type="button" class="button" onClick={edit.discard}>
            {words.discard}
          </button>
        )}
        <button type="submit" class="button primary" disabled={edit.busy || !changed}>
          {edit.busy ? words.saving : words.save}
        </button>
      </div>
      {conflict !== undefined && (
        <ConflictDialog conflict={conflict} onClose={edit.dropConflict} onChosen={edit.resolve} />
      )}
    </form>
  );
}

const newDelivery: Delivery = { feeFen: 500, minimumFen: 2_000 };

interface ServicesCardProps {
  services: SettingsForm["services"];
  onChange(services: SettingsForm["services"]): void;
}

function ServicesCard({ services, onChange }: ServicesCardProps) {
  const { delivery } = services;
  const setDelivery = (change: Partial<Delivery> | null) =>
    onChange({ ...services, delivery: change === null ? null : { ...newDelivery, ...delivery, ...change } });
  return (
    <Card title={words.services}>
      <Switch label={words.atTable} checked={services.table} onChange={(table) => onChange({ ...services, table })} />
      <Switch label={words.pickup} checked={services.pickup} onChange={(pickup) => onChange({ ...services, pickup })} />
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
              onChange({ ...services, delivery: fen === undefined ? rest : { ...rest, freeFromFen: fen } });
            }}
          />
        </div>
      )}
    </Card>
  );
}

interface KitchenCardProps {
  form: SettingsForm;
  onChange(change: Partial<SettingsForm>): void;
}

function KitchenCard({ form, onChange }: KitchenCardProps) {
  return (
    <Card title={words.kitchen}>
      <div class="pair">
        <MinutesField
          required
          label={words.escalateAfter}
          hint={words.escalateHint}
          value={form.escalateAfterSec}
          onInput={(seconds) => onChange({ escalateAfterSec: seconds ?? Number.NaN })}
        />
        <MinutesField
          required
          label={words.expireAfter}
          hint={words.expireHint}
          error={expiresTooSoon(form) ? words.expireTooShort : undefined}
          value={form.expireAfterSec}
          onInput={(seconds) => onChange({ expireAfterSec: seconds ?? Number.NaN })}
        />
      </div>
      <Switch
        label={words.refuseWhenOffline}
        hint={words.refuseWhenOfflineHint}
        checked={form.refuseWhenOffline}
        onChange={(refuseWhenOffline) => onChange({ refuseWhenOffline })}
      />
    </Card>
  );
}

const limitNames = ["perSession", "perTable", "perAddress", "perShop"] as const;

interface LimitsCardProps {
  limits: SettingsForm["limits"];
  onChange(limits: SettingsForm["limits"]): void;
}

function LimitsCard({ limits, onChange }: LimitsCardProps) {
  return (
    <Card title={words.limits}>
      <p class="soft">{words.limitsHint}</p>
      <div class="quadruple">
        {limitNames.map((limit) => (
          <CountField
            key={limit}
            label={words[limit]}
            value={limits[limit] ?? undefined}
            onInput={(count) => onChange({ ...limits, [limit]: count ?? null })}
          />
        ))}
      </div>
    </Card>
  );
}

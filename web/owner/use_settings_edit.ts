/** Editing of a shop's settings: the form, and the function that saves it. */
import { useEffect, useState } from "preact/hooks";
import { toast } from "../shared/toast.tsx";
import { ask, showError } from "./client.ts";
import { words } from "./dictionary.ts";
import { hasTooLong, isNamed } from "./fields.tsx";
import { isChanged } from "./merge.ts";
import { type Conflict, save } from "./save.ts";
import type { Names, Settings, Shop } from "./types.ts";

/** The settings and the shop's names: the server has them apart; here they are edited and compared as one value. */
export type SettingsForm = Settings & { names: Names };

const formOf = ({ settings, names }: Shop): SettingsForm => ({
  ...settings,
  limits: { ...defaults, ...settings.limits },
  names,
});

/** The limits of a shop that never set any, as in shared/menu.ts. */
const defaults = { perSession: 5, perTable: 10, perAddress: 100, perShop: 300 };

export interface SettingsEdit {
  form: SettingsForm;
  changed: boolean;
  busy: boolean;
  /** Another user changed the same fields. */
  conflict: Conflict<SettingsForm> | undefined;
  setForm(change: (now: SettingsForm) => SettingsForm): void;
  discard(): void;
  save(): Promise<void>;
  /** Saves the choice made in a conflict. */
  resolve(chosen: SettingsForm, theirs: { value: SettingsForm; version: number }): void;
  dropConflict(): void;
}

export function useSettingsEdit(shop: Shop, reload: () => Promise<unknown>): SettingsEdit {
  const [base, setBase] = useState({ form: formOf(shop), version: shop.version });
  const [form, setForm] = useState(base.form);
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState<Conflict<SettingsForm>>();
  const changed = isChanged(base.form, form);
  // While nothing is being edited, changes by others are shown.
  useEffect(() => {
    if (changed) return;
    setBase({ form: formOf(shop), version: shop.version });
    setForm(formOf(shop));
  }, [shop]);

  const remote = {
    async read() {
      const now = await ask<Shop>("GET", shop.shop, "/menu");
      return { value: formOf(now), version: now.version };
    },
    write: ({ names, ...settings }: SettingsForm, version: number) =>
      ask("PUT", shop.shop, "/settings", { settings, names }, version),
  };

  async function saveFrom(from: typeof base, value: SettingsForm): Promise<void> {
    if (isFaulty(form) || hasTooLong()) return toast(words.invalid);
    setBusy(true);
    try {
      const saved = await save(remote, from.form, value, from.version);
      if (saved.how === "disputed") setConflict(saved);
      else {
        const now = await remote.read();
        setBase({ form: now.value, version: now.version });
        setForm(now.value);
        await reload();
        toast(saved.how === "saved" && saved.merged ? words.merged : words.saved);
      }
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  }

  return {
    form,
    changed,
    busy,
    conflict,
    setForm,
    discard: () => setForm(base.form),
    save: () => saveFrom(base, form),
    resolve(chosen, { value, version }) {
      setForm(chosen);
      setBase({ form: value, version });
      void saveFrom({ form: value, version }, chosen);
    },
    dropConflict: () => setConflict(undefined),
  };
}

/** Orders would expire before the kitchen's bell becomes louder. */
export const expiresTooSoon = (form: SettingsForm): boolean => form.expireAfterSec <= form.escalateAfterSec;

/** @returns whether the server would refuse these settings */
const isFaulty = (form: SettingsForm): boolean => expiresTooSoon(form) || !isNamed(form.names) || hasNaN(form);

const hasNaN = (value: unknown): boolean =>
  Number.isNaN(value) || (value !== null && typeof value === "object" && Object.values(value).some(hasNaN));

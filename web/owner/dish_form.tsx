/** One dish, edited. */
import { useRef, useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { toast } from "../shared/toast.tsx";
import { movedDish } from "./arrange.ts";
import { AskFirst } from "./ask_first.tsx";
import { ask, codeOf, complain } from "./client.ts";
import { Disputed } from "./disputed.tsx";
import { editMenu } from "./edit_menu.ts";
import { CountField, isNamed, MoneyField, NamesField, Switch, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { isChanged } from "./merge.ts";
import { Options, optionsFault } from "./options.tsx";
import { Picture } from "./picture.tsx";
import { type Dispute, save } from "./save.ts";
import { say, words } from "./speak.ts";
import type { Dish, Names, Shop } from "./types.ts";
import { PictureRefused, uploadPicture } from "./upload.ts";

export interface DishFormProps {
  shop: Shop;
  dish: Dish;
  isNew: boolean;
  reload(): Promise<unknown>;
  onClose(): void;
}

/** What was there when the editing began. Whatever the page hears meanwhile, it is this that is compared with. */
interface Base {
  dish: Dish | undefined;
  version: number;
}

function without(dish: Dish, name: "description" | "picture" | "station"): Dish {
  const { [name]: _, ...rest } = dish;
  return rest;
}

export function DishForm({ shop, dish, isNew, reload, onClose }: DishFormProps) {
  const [base, setBase] = useState<Base>({ dish: isNew ? undefined : dish, version: shop.version });
  const [draft, setDraft] = useState(dish);
  const [leaving, setLeaving] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [dispute, setDispute] = useState<Dispute<Dish>>();
  const set = (change: Partial<Dish>) => setDraft((now) => ({ ...now, ...change }));
  const setNames = (name: "description", names: Names) =>
    setDraft((now) => (isNamed(names) ? { ...now, [name]: names } : without(now, name)));

  const place = {
    async read() {
      const now = await ask<Shop>("GET", shop.shop, "/menu");
      return { value: now.menu.dishes.find(({ id }) => id === dish.id), version: now.version };
    },
    write: (value: Dish, version: number) => ask("PUT", shop.shop, `/dishes/${dish.id}`, value, version),
  };

  async function keep(from: Base, value: Dish): Promise<void> {
    setTried(true);
    if (faultOf(value)) return;
    setBusy(true);
    try {
      const saved = await save(place, from.dish, value, from.version);
      if (saved.how === "disputed") setDispute(saved);
      else {
        if (saved.how === "gone") toast(words.gone);
        else toast(saved.merged ? words.merged : words.saved);
        await reload();
        onClose();
      }
    } catch (error) {
      complain(error);
    }
    setBusy(false);
  }

  const move = async (by: number) => {
    setBusy(true);
    await editMenu(shop, (menu) => movedDish(menu, dish.id, by))
      .then(reload)
      .catch(complain);
    setBusy(false);
  };

  // A tap beside the form, or Escape, is easily done.
  const leave = () => (isChanged(dish, draft) ? setLeaving(true) : onClose());

  const { names, description = {}, category, priceFen, packingFen, dailyStock, available, station } = draft;
  const name = say(names);
  return (
    <Dialog
      title={isNew ? words.newDish : words.editDish}
      closeLabel={words.close}
      onClose={leave}
      footer={
        <>
          <button type="button" class="button" onClick={onClose}>
            {words.cancel}
          </button>
          <button type="button" class="button primary" disabled={busy} onClick={() => void keep(base, draft)}>
            {busy ? words.saving : words.save}
          </button>
        </>
      }
    >
      <form
        class="stack form"
        onSubmit={(event) => {
          event.preventDefault();
          void keep(base, draft);
        }}
      >
        <PictureField
          shop={shop.shop}
          picture={draft.picture}
          name={name}
          onChange={(picture) =>
            setDraft((now) => (picture === undefined ? without(now, "picture") : { ...now, picture }))
          }
        />
        <NamesField
          label={words.name}
          names={names}
          error={tried && !isNamed(names) ? words.nameMissing : undefined}
          onInput={(to) => set({ names: to })}
        />
        <div class="pair tight">
          <MoneyField
            required
            label={words.price}
            value={priceFen}
            calm={!tried}
            onInput={(fen) => set({ priceFen: fen ?? Number.NaN })}
          />
          <label class="field">
            <span>{words.category}</span>
            <select value={category} onChange={({ currentTarget }) => set({ category: currentTarget.value })}>
              {shop.menu.categories.map((one) => (
                <option key={one.id} value={one.id}>
                  {say(one.names)}
                </option>
              ))}
            </select>
          </label>
        </div>
        <Switch
          label={words.available}
          hint={words.availableHint}
          checked={available}
          onChange={(on) => set({ available: on })}
        />
        <NamesField
          label={`${words.description}`}
          names={description}
          rows={2}
          onInput={(to) => setNames("description", to)}
        />
        <div class="pair tight">
          <CountField
            label={words.dailyStock}
            hint={words.dailyStockHint}
            value={dailyStock ?? undefined}
            onInput={(count) => set({ dailyStock: count ?? null })}
          />
          <MoneyField
            required
            label={words.packing}
            hint={words.packingHint}
            value={packingFen}
            onInput={(fen) => set({ packingFen: fen ?? Number.NaN })}
          />
        </div>
        <TextField
          label={`${words.station} · ${words.optional}`}
          hint={words.stationHint}
          value={station ?? ""}
          max={40}
          error={station !== undefined && !isId(station) ? words.invalid : undefined}
          onInput={(text) => setDraft((now) => (text === "" ? without(now, "station") : { ...now, station: text }))}
        />
        <Options options={draft.options} tried={tried} onChange={(options) => set({ options })} />
        {tried && faultOf(draft) && (
          <p class="fault" role="alert">
            {words.invalid}
          </p>
        )}
        {!isNew && (
          <div class="row spread">
            <div class="row">
              <button
                type="button"
                class="button round"
                aria-label={words.moveUp(name)}
                disabled={busy}
                onClick={() => void move(-1)}
              >
                <Icon name="up" size={20} />
              </button>
              <button
                type="button"
                class="button round"
                aria-label={words.moveDown(name)}
                disabled={busy}
                onClick={() => void move(1)}
              >
                <Icon name="down" size={20} />
              </button>
            </div>
            <button type="button" class="button bad" onClick={() => setRemoving(true)}>
              {words.removeDish}
            </button>
          </div>
        )}
        {/* Enter in a field saves. */}
        <button type="submit" class="unseen" tabIndex={-1} aria-hidden="true" />
      </form>
      {leaving && (
        <AskFirst
          title={words.unsaved}
          hint={words.unsavedHint}
          yes={words.discard}
          onYes={async () => onClose()}
          onClose={() => setLeaving(false)}
        />
      )}
      {removing && (
        <AskFirst
          title={words.removeDishAsk(name)}
          hint={words.removeDishHint}
          yes={words.removeDish}
          onYes={async () => {
            await ask("DELETE", shop.shop, `/dishes/${dish.id}`).catch((error) => {
              // Somebody else was faster.
              if (codeOf(error) !== "DISH_UNKNOWN") throw error;
            });
            await reload();
            onClose();
          }}
          onClose={() => setRemoving(false)}
        />
      )}
      {dispute !== undefined && (
        <Disputed
          dispute={dispute}
          onClose={() => setDispute(undefined)}
          onChosen={(value, { value: dish, version }) => {
            setDraft(value);
            setBase({ dish, version });
            void keep({ dish, version }, value);
          }}
        />
      )}
    </Dialog>
  );
}

const isId = (text: string) => /^[A-Za-z0-9_-]{1,40}$/.test(text);

/** What the server would refuse. */
function faultOf({ names, priceFen, packingFen, dailyStock, station, options }: Dish): boolean {
  return (
    !isNamed(names) ||
    [priceFen, packingFen].some((fen) => !(fen >= 0)) ||
    (dailyStock !== null && !(dailyStock >= 0 && dailyStock <= 100_000)) ||
    (station !== undefined && !isId(station)) ||
    options.some((option) => optionsFault(option) !== undefined)
  );
}

interface PictureFieldProps {
  shop: string;
  picture: string | undefined;
  name: string;
  onChange(picture: string | undefined): void;
}

function PictureField({ shop, picture, name, onChange }: PictureFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();

  async function take(file: File): Promise<void> {
    setBusy(true);
    setWrong(undefined);
    try {
      onChange(await uploadPicture(shop, file));
    } catch (error) {
      if (error instanceof PictureRefused) setWrong(error.message);
      else complain(error);
    }
    setBusy(false);
  }

  return (
    <div class="picture-field">
      <Picture of={picture} name={name} />
      <div>
        <div class="row">
          <button type="button" class="button soft" disabled={busy} onClick={() => input.current?.click()}>
            {busy ? words.uploading : picture === undefined ? words.choosePicture : words.changePicture}
          </button>
          {picture !== undefined && (
            <button
              type="button"
              class="button plain round"
              aria-label={words.removePicture}
              onClick={() => onChange(undefined)}
            >
              <Icon name="bin" size={20} />
            </button>
          )}
        </div>
        <p class="hint" role="status">
          {wrong === undefined ? words.pictureHint : <span class="fault">{wrong}</span>}
        </p>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={words.picture}
          accept="image/jpeg,image/png,image/webp"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) void take(file);
            // The same file again is a choice too.
            currentTarget.value = "";
          }}
        />
      </div>
    </div>
  );
}

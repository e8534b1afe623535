/** The dialog that edits one dish. */
import { useState } from "preact/hooks";
import { maxDescription } from "../../shared/protocol.ts";
import { Dialog } from "../shared/dialog.tsx";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { ConflictDialog } from "./conflict_dialog.tsx";
import { localName, words } from "./dictionary.ts";
import { CountField, isNamed, MoneyField, NamesField, Switch, TextField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { isChanged } from "./merge.ts";
import { Options } from "./options.tsx";
import { PictureField } from "./picture_field.tsx";
import type { Dish, Shop } from "./types.ts";
import { type DishEdit, type DishEditProps, isFaulty, isId, useDishEdit } from "./use_dish_edit.ts";

export function DishForm(props: DishEditProps) {
  const { shop, dish, isNew, onClose } = props;
  const edit = useDishEdit(props);
  const { draft, conflict } = edit;
  const [leaving, setLeaving] = useState(false);
  const [removing, setRemoving] = useState(false);

  // A tap beside the form, or Escape, often happens by mistake.
  const leave = () => (isChanged(dish, draft) ? setLeaving(true) : onClose());

  const name = localName(draft.names);
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
          <button type="button" class="button primary" disabled={edit.busy} onClick={() => void edit.save()}>
            {edit.busy ? words.saving : words.save}
          </button>
        </>
      }
    >
      <form
        class="stack form"
        onSubmit={(event) => {
          event.preventDefault();
          void edit.save();
        }}
      >
        <DishFields shop={shop} dish={draft} tried={edit.tried} onChange={edit.setDraft} />
        {!isNew && <MoveOrRemove name={name} edit={edit} onRemove={() => setRemoving(true)} />}
        {/* Enter in a field saves. */}
        <button type="submit" class="unseen" tabIndex={-1} aria-hidden="true" />
      </form>
      {leaving && (
        <ConfirmDialog
          title={words.unsaved}
          hint={words.unsavedHint}
          yes={words.discard}
          onYes={async () => onClose()}
          onClose={() => setLeaving(false)}
        />
      )}
      {removing && (
        <ConfirmDialog
          title={words.removeDishAsk(name)}
          hint={words.removeDishHint}
          yes={words.removeDish}
          onYes={edit.remove}
          onClose={() => setRemoving(false)}
        />
      )}
      {conflict !== undefined && (
        <ConflictDialog conflict={conflict} onClose={edit.dropConflict} onChosen={edit.resolve} />
      )}
    </Dialog>
  );
}

function without(dish: Dish, name: "description" | "picture" | "station"): Dish {
  const { [name]: _, ...rest } = dish;
  return rest;
}

interface DishFieldsProps {
  shop: Shop;
  dish: Dish;
  /** Marks missing fields. */
  tried: boolean;
  onChange(change: (now: Dish) => Dish): void;
}

function DishFields({ shop, dish, tried, onChange }: DishFieldsProps) {
  const { names, description = {}, category, priceFen, packingFen, dailyStock, available, station } = dish;
  const set = (change: Partial<Dish>) => onChange((now) => ({ ...now, ...change }));
  return (
    <>
      <PictureField
        shop={shop.shop}
        picture={dish.picture}
        name={localName(names)}
        onChange={(picture) =>
          onChange((now) => (picture === undefined ? without(now, "picture") : { ...now, picture }))
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
          missing={words.priceMissing}
          value={priceFen}
          calm={!tried}
          onInput={(fen) => set({ priceFen: fen ?? Number.NaN })}
        />
        <label class="field">
          <span>{words.category}</span>
          <select value={category} onChange={({ currentTarget }) => set({ category: currentTarget.value })}>
            {shop.menu.categories.map((one) => (
              <option key={one.id} value={one.id}>
                {localName(one.names)}
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
        label={words.description}
        names={description}
        max={maxDescription}
        rows={2}
        onInput={(to) => onChange((now) => (isNamed(to) ? { ...now, description: to } : without(now, "description")))}
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
        error={station !== undefined && !isId(station) ? words.stationWrong : undefined}
        onInput={(text) => onChange((now) => (text === "" ? without(now, "station") : { ...now, station: text }))}
      />
      <Options options={dish.options} tried={tried} onChange={(options) => set({ options })} />
      {tried && isFaulty(dish) && (
        <p class="fault" role="alert">
          {words.invalid}
        </p>
      )}
    </>
  );
}

interface MoveOrRemoveProps {
  name: string;
  edit: DishEdit;
  onRemove(): void;
}

function MoveOrRemove({ name, edit, onRemove }: MoveOrRemoveProps) {
  return (
    <div class="row spread">
      <div class="row">
        <button
          type="button"
          class="button round"
          aria-label={words.moveUp(name)}
          disabled={edit.busy}
          onClick={() => void edit.move(-1)}
        >
          <Icon name="up" size={20} />
        </button>
        <button
          type="button"
          class="button round"
          aria-label={words.moveDown(name)}
          disabled={edit.busy}
          onClick={() => void edit.move(1)}
        >
          <Icon name="down" size={20} />
        </button>
      </div>
      <button type="button" class="button bad" onClick={onRemove}>
        {words.removeDish}
      </button>
    </div>
  );
}

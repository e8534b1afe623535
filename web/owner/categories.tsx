/** Categories: add, rename, sort, and remove when empty. Each change is saved at once. */
import { useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { toast } from "../shared/toast.tsx";
import { moved, newId, withCategory } from "./arrange.ts";
import { showError } from "./client.ts";
import { localName, words } from "./dictionary.ts";
import { editMenu } from "./edit_menu.ts";
import { isNamed, NamesField } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import type { Category, Menu, Shop } from "./types.ts";

export interface CategoriesProps {
  shop: Shop;
  reload(): Promise<unknown>;
  onClose(): void;
}

export function Categories({ shop, reload, onClose }: CategoriesProps) {
  const [edited, setEdited] = useState<Category | undefined>(() =>
    shop.menu.categories.length === 0 ? { id: newId("category"), names: {} } : undefined,
  );
  const [wrong, setWrong] = useState(false);
  const [busy, setBusy] = useState(false);
  const { categories, dishes } = shop.menu;

  const change = async (edit: (menu: Menu) => Menu) => {
    setBusy(true);
    try {
      await editMenu(shop, edit);
      await reload();
      setEdited(undefined);
      toast(words.saved);
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  const saveCategory = (category: Category) => {
    setWrong(!isNamed(category.names));
    if (isNamed(category.names)) void change((menu) => withCategory(menu, category));
  };
  const edit = (category: Category) => {
    setWrong(false);
    setEdited(category);
  };
  const form = edited !== undefined && (
    <form
      class="sub"
      onSubmit={(event) => {
        event.preventDefault();
        saveCategory(edited);
      }}
    >
      <NamesField
        label={words.categoryName}
        names={edited.names}
        error={wrong ? words.nameMissing : undefined}
        onInput={(names) => setEdited({ ...edited, names })}
      />
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {words.save}
        </button>
        <button type="button" class="button" onClick={() => setEdited(undefined)}>
          {words.cancel}
        </button>
      </div>
    </form>
  );

  return (
    <Dialog title={words.categories} closeLabel={words.close} onClose={onClose}>
      <ul class="list">
        {categories.map((category, at) => {
          const name = localName(category.names);
          const count = dishes.filter((dish) => dish.category === category.id).length;
          return (
            <li key={category.id} data-slot>
              <div class="line">
                <button type="button" class="name" onClick={() => edit(category)}>
                  <b>{name}</b>
                  <small>{words.categoryInUse(count)}</small>
                </button>
                <button
                  type="button"
                  class="button plain round"
                  aria-label={words.moveUp(name)}
                  disabled={busy || at === 0}
                  onClick={() =>
                    void change((menu) => ({ ...menu, categories: moved(menu.categories, category.id, -1) }))
                  }
                >
                  <Icon name="up" size={20} />
                </button>
                <button
                  type="button"
                  class="button plain round"
                  aria-label={words.moveDown(name)}
                  disabled={busy || at === categories.length - 1}
                  onClick={() =>
                    void change((menu) => ({ ...menu, categories: moved(menu.categories, category.id, 1) }))
                  }
                >
                  <Icon name="down" size={20} />
                </button>
                <button
                  type="button"
                  class="button plain round"
                  aria-label={words.removeCategory(name)}
                  disabled={busy || count > 0}
                  onClick={() =>
                    void change((menu) => ({
                      ...menu,
                      categories: menu.categories.filter(({ id }) => id !== category.id),
                    }))
                  }
                >
                  <Icon name="bin" size={20} />
                </button>
              </div>
              {edited?.id === category.id && form}
            </li>
          );
        })}
      </ul>
      {edited !== undefined && !categories.some(({ id }) => id === edited.id) ? (
        form
      ) : (
        <button type="button" class="button soft wide" onClick={() => edit({ id: newId("category"), names: {} })}>
          <Icon name="add" size={20} />
          {words.newCategory}
        </button>
      )}
    </Dialog>
  );
}

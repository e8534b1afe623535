/** List of shops, open ones first. If there is only one, its menu is shown at once. */
import { useEffect, useState } from "preact/hooks";
import type { ShopBrief } from "../../clients/types.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { localName, words } from "./dictionary.ts";
import { askShop, firstAnswer } from "./first_request.ts";
import { Icon } from "./icons.tsx";
import { Empty } from "./page.tsx";
import { go } from "./route.ts";

interface Shops {
  shops: ShopBrief[];
}

const pauseMs = 1_500;

function useShops() {
  const [shops, setShops] = useState<ShopBrief[]>();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const load = (early?: Promise<unknown>): Promise<void> =>
      ((early as Promise<Shops> | undefined) ?? askShop<Shops>({})).then(
        ({ shops: known }) => {
          setSlow(false);
          const [only] = known;
          if (known.length === 1 && only !== undefined) location.replace(`?shop=${only.id}${location.hash}`);
          else setShops([...known].sort((a, b) => Number(b.open) - Number(a.open)));
        },
        () => {
          setSlow(true);
          timer = setTimeout(() => void load(), pauseMs);
        },
      );
    void load(firstAnswer);
    return () => clearTimeout(timer);
  }, []);
  return { shops, slow };
}

export function Chooser() {
  const { shops, slow } = useShops();
  return (
    <div class="single">
      <header class="bar start">
        <h1>{words.chooseShop}</h1>
        <button type="button" class="button plain round" aria-label={words.orders} onClick={() => go("orders")}>
          <Icon name="orders" />
        </button>
        <button type="button" class="button plain round" aria-label={words.account} onClick={() => go("account")}>
          <Icon name="person" />
        </button>
        <LanguageSwitch />
      </header>
      <main>
        <div role="status">{slow && <p class="banner warn">{words.noAnswer}</p>}</div>
        {shops?.length === 0 && <Empty title={words.noShops} />}
        <ul class="shops" aria-busy={shops === undefined}>
          {shops === undefined && [1, 2].map((at) => <li key={at} class="waiting" />)}
          {shops?.map(({ id, names, open, notice, services }) => (
            <li key={id}>
              <a class="card" href={`?shop=${id}`}>
                <span class="row">
                  <strong>{localName(names)}</strong>
                  <span class={open ? "pill good" : "pill"}>{open ? words.open : words.closed}</span>
                </span>
                {notice !== null && <span class="quiet">{localName(notice)}</span>}
                <span class="tags">
                  {(["table", "pickup", "delivery"] as const)
                    .filter((service) => services[service])
                    .map((service) => (
                      <span key={service}>{words.service[service]}</span>
                    ))}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </main>
    </div>
  );
}

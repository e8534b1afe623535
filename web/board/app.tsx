/** Board of the shop in the address; without one, the list of shops. */
import { useEffect, useState } from "preact/hooks";
import type { ShopBrief } from "../../clients/types.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { Board } from "./board.tsx";
import { client } from "./client.ts";
import { localName, words } from "./dictionary.ts";

const shopId = new URLSearchParams(location.search).get("shop") || undefined;

export const App = () => (shopId === undefined ? <Chooser /> : <Board shopId={shopId} />);

function Chooser() {
  const [shops, setShops] = useState<ShopBrief[]>();
  const [failed, setFailed] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    setFailed(false);
    client.shops().then(setShops, () => setFailed(true));
  }, [round]);
  return (
    <main class="chooser">
      <header>
        <h1>{words.chooseShop}</h1>
        <LanguageSwitch />
      </header>
      {failed ? (
        <p>
          {words.noAnswer}{" "}
          <button type="button" class="button" onClick={() => setRound(round + 1)}>
            {words.retry}
          </button>
        </p>
      ) : shops === undefined ? (
        <p>{words.loading}</p>
      ) : shops.length === 0 ? (
        <p>{words.noShops}</p>
      ) : (
        <ul>
          {shops.map(({ id, names }) => (
            <li key={id}>
              <a href={`?${new URLSearchParams({ shop: id })}`}>{localName(names)}</a>
            </li>
          ))}
        </ul>
      )}
    </main>
  );
}

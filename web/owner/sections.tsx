/** The owner's page: its sections, the navigation between them, and the switch that opens the shop. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "../../clients/browser.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { StateBanner, useChannelState } from "../shared/state_banner.tsx";
import { setTitle } from "../shared/title.ts";
import { ask, client, showError } from "./client.ts";
import { CollectionsSection } from "./collections.tsx";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { Devices } from "./devices.tsx";
import { localName, words } from "./dictionary.ts";
import { Films } from "./films.tsx";
import { Guide } from "./guide.tsx";
import { Icon } from "./icons.tsx";
import { MenuSection } from "./menu.tsx";
import { ReportSection } from "./report.tsx";
import { SettingsSection } from "./settings.tsx";
import { Failed, Waiting } from "./states.tsx";
import { Tables } from "./tables.tsx";
import type { Collection } from "./types.ts";
import { useQuery } from "./use_query.ts";
import { useShop } from "./use_shop.ts";

const sections = ["report", "menu", "films", "tables", "devices", "settings", "collections"] as const;
type Section = (typeof sections)[number];

/** `#menu` → menu, `#collections/notes` → collections */
const sectionInAddress = (): Section =>
  sections.find((section) => location.hash.split("/")[0] === `#${section}`) ?? "report";

/** Collections of this server, for the owners who administer them. Undefined for others, and where none is declared. */
function useCollections(id: string) {
  const { value, reload } = useQuery(id, () =>
    client.ask<{ collections: Collection[] }>({ method: "GET", path: "/collections" }),
  );
  const isUsed = value?.collections.some(({ permission }) => permission !== "BUILT_IN") === true;
  return { collections: isUsed ? value?.collections : undefined, reload };
}

export function Sections({ id, session }: { id: string; session: Session }) {
  const { shop, failed, reload } = useShop(id);
  const [wanted, setSection] = useState(sectionInAddress);
  const { collections, reload: reloadCollections } = useCollections(id);
  const section = wanted === "collections" && collections === undefined ? "report" : wanted;
  const state = useChannelState(client);
  const heading = useRef<HTMLHeadingElement>(null);
  const moved = useRef(false);

  useEffect(() => setTitle({ shop: localName(shop?.names) }), [shop]);
  useEffect(() => {
    const onHashChange = () => {
      moved.current = true;
      setSection(sectionInAddress());
    };
    addEventListener("hashchange", onHashChange);
    return () => removeEventListener("hashchange", onHashChange);
  }, []);
  useEffect(() => {
    if (!moved.current) return;
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [section]);

  return (
    <div class="frame">
      <header class="top">
        <p class="shop-name">{shop === undefined ? "" : localName(shop.names)}</p>
        {shop !== undefined && <OpenSwitch id={id} open={shop.open} onDone={reload} />}
        <LanguageSwitch />
      </header>
      <nav aria-label={words.navigation}>
        {sections
          .filter((name) => name !== "collections" || collections !== undefined)
          .map((name) => (
            <a key={name} href={`#${name}`} aria-current={name === section ? "page" : undefined}>
              <Icon name={name} />
              <span>{words.sections[name]}</span>
            </a>
          ))}
      </nav>
      <main>
        <StateBanner state={state} words={words.state} silent={["signed out"]} />
        {shop?.open === true && !shop.live && <p class="banner warn">{words.noScreen}</p>}
        <div class="section">
          <h1 ref={heading} tabIndex={-1}>
            {words.sections[section]}
          </h1>
          {shop === undefined ? (
            failed === undefined ? (
              <Waiting />
            ) : (
              <Failed error={failed} onRetry={() => void reload().catch(showError)} />
            )
          ) : section === "report" ? (
            <>
              <Guide shop={shop} />
              <ReportSection id={id} today={shop.day} />
            </>
          ) : section === "menu" ? (
            <MenuSection shop={shop} reload={reload} />
          ) : section === "films" ? (
            <Films id={id} />
          ) : section === "tables" ? (
            <Tables id={id} name={localName(shop.names)} />
          ) : section === "devices" ? (
            <Devices id={id} session={session} />
          ) : section === "collections" ? (
            <CollectionsSection collections={collections ?? []} reload={reloadCollections} />
          ) : (
            <SettingsSection shop={shop} reload={reload} />
          )}
        </div>
      </main>
    </div>
  );
}

/** Opens the shop with one tap; closing needs a confirmation. */
function OpenSwitch({ id, open, onDone }: { id: string; open: boolean; onDone(): Promise<unknown> }) {
  const [asking, setAsking] = useState(false);
  const set = async (to: boolean) => {
    await ask("PUT", id, "/open", { open: to });
    await onDone();
  };
  return (
    <>
      <button
        type="button"
        role="switch"
        aria-checked={open}
        aria-label={open ? words.open : words.closed}
        title={open ? words.closeShop : words.openShop}
        class={open ? "button big-switch on" : "button big-switch"}
        onClick={() => (open ? setAsking(true) : void set(true).catch(showError))}
      >
        <span class="knob" aria-hidden="true" />
        {open ? words.open : words.closed}
      </button>
      {asking && (
        <ConfirmDialog
          title={words.closeAsk}
          hint={words.closeHint}
          yes={words.closeShop}
          onYes={() => set(false)}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

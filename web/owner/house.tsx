/** The owner's house: its rooms, the way from one to the other, and the big switch. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "../../clients/browser.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { StateBanner, useChannelState } from "../shared/state_banner.tsx";
import { AskFirst } from "./ask_first.tsx";
import { ask, client, complain } from "./client.ts";
import { Devices } from "./devices.tsx";
import { Icon } from "./icons.tsx";
import { MenuRoom } from "./menu.tsx";
import { ReportRoom } from "./report.tsx";
import { SettingsRoom } from "./settings.tsx";
import { say, words } from "./speak.ts";
import { Failed, Waiting } from "./states.tsx";
import { Tables } from "./tables.tsx";
import { useShop } from "./use_shop.ts";

const rooms = ["report", "menu", "tables", "devices", "settings"] as const;
type Room = (typeof rooms)[number];

const roomInAddress = (): Room => rooms.find((room) => location.hash === `#${room}`) ?? "report";

export function House({ id, session }: { id: string; session: Session }) {
  const { shop, failed, reload } = useShop(id);
  const [room, setRoom] = useState(roomInAddress);
  const state = useChannelState(client);
  const heading = useRef<HTMLHeadingElement>(null);
  const moved = useRef(false);

  useEffect(() => {
    const hear = () => {
      moved.current = true;
      setRoom(roomInAddress());
    };
    addEventListener("hashchange", hear);
    return () => removeEventListener("hashchange", hear);
  }, []);
  useEffect(() => {
    if (!moved.current) return;
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, [room]);

  return (
    <div class="house">
      <header class="top">
        <p class="shop-name">{shop === undefined ? "" : say(shop.names)}</p>
        {shop !== undefined && <OpenSwitch id={id} open={shop.open} onDone={reload} />}
        <LanguageSwitch />
      </header>
      <nav aria-label={words.navigation}>
        {rooms.map((name) => (
          <a key={name} href={`#${name}`} aria-current={name === room ? "page" : undefined}>
            <Icon name={name} />
            <span>{words.sections[name]}</span>
          </a>
        ))}
      </nav>
      <main>
        <StateBanner state={state} words={words.state} silent={["signed out"]} />
        {shop?.open === true && !shop.live && <p class="banner warn">{words.noScreen}</p>}
        <div class="room">
          <h1 ref={heading} tabIndex={-1}>
            {words.sections[room]}
          </h1>
          {shop === undefined ? (
            failed === undefined ? (
              <Waiting />
            ) : (
              <Failed error={failed} onRetry={() => void reload().catch(complain)} />
            )
          ) : room === "report" ? (
            <ReportRoom id={id} today={shop.day} />
          ) : room === "menu" ? (
            <MenuRoom shop={shop} reload={reload} />
          ) : room === "tables" ? (
            <Tables id={id} name={say(shop.names)} />
          ) : room === "devices" ? (
            <Devices id={id} session={session} />
          ) : (
            <SettingsRoom shop={shop} reload={reload} />
          )}
        </div>
      </main>
    </div>
  );
}

/** Opening is one tap; closing is asked first. */
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
        onClick={() => (open ? setAsking(true) : void set(true).catch(complain))}
      >
        <span class="dot" aria-hidden="true" />
        {open ? words.open : words.closed}
      </button>
      {asking && (
        <AskFirst
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

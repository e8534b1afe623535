import "../shared/base.css";
import "../shared/parts.css";
import "./kitchen.css";
import "./ticket.css";
import "./print.css";
import { syncClock } from "../shared/clock.ts";
import { showPage } from "../shared/show_page.tsx";
import { guardTaps } from "../shared/tap_guard.ts";
import { App } from "./app.tsx";
import { applySize, applyTheme, readSize, readTheme } from "./device_settings.ts";
import { loadWords } from "./dictionary.ts";

applyTheme(readTheme());
applySize(readSize());
// Not awaited: orders are shown at once, and their ages corrected a moment later.
syncClock();
guardTaps();
void showPage(() => <App />, loadWords());

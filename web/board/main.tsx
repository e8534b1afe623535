import "../shared/base.css";
import "../shared/parts.css";
import "./board.css";
import { syncClock } from "../shared/clock.ts";
import { showPage } from "../shared/show_page.tsx";
import { App } from "./app.tsx";
import { loadWords } from "./dictionary.ts";

syncClock();
void showPage(() => <App />, loadWords());

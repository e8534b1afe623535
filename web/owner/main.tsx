import "../shared/base.css";
import "../shared/parts.css";
import "./owner.css";
import { showPage } from "../shared/show_page.tsx";
import { guardTaps } from "../shared/tap_guard.ts";
import { App } from "./app.tsx";
import { loadWords } from "./dictionary.ts";

guardTaps();
void showPage(() => <App />, loadWords());

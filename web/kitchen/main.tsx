import "../shared/base.css";
import "../shared/parts.css";
import "./kitchen.css";
import "./ticket.css";
import "./print.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { setClock } from "./clock.ts";
import { applyTheme, keptTheme } from "./kept.ts";
import { loadWords } from "./speak.ts";

applyTheme(keptTheme());
// Ages can be corrected a moment later; orders cannot wait for it.
void setClock();
void loadWords().then(() => render(<App />, document.getElementById("page") as HTMLElement));

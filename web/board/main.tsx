import "../shared/base.css";
import "../shared/parts.css";
import "./board.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { loadWords } from "./speak.ts";

void loadWords().then(() => render(<App />, document.getElementById("page") as HTMLElement));

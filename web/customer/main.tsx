import { shopId } from "./first.ts";
import "../shared/base.css";
import "../shared/parts.css";
import "./customer.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { readTaken } from "./kept.ts";
import { goInstead } from "./place.ts";
import { loadWords } from "./speak.ts";

// Taken in the moment when the page was closed or loaded anew: the first thing to be seen.
const taken = shopId && readTaken(shopId);
if (taken) goInstead(`order=${taken}`);

void loadWords().then(() => render(<App />, document.getElementById("page") as HTMLElement));

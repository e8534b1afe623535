import { shopId } from "./first_request.ts";
import "../shared/base.css";
import "../shared/parts.css";
import "./customer.css";
import { showPage } from "../shared/show_page.tsx";
import { App } from "./app.tsx";
import { loadWords } from "./dictionary.ts";
import { redirect } from "./route.ts";
import { readTaken } from "./stored.ts";

// An order that was taken while the page was closed or reloaded: it is shown first.
const taken = shopId && readTaken(shopId);
if (taken) redirect(`order=${taken}`);

void showPage(() => <App />, loadWords());

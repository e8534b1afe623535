/** The one client of this page: the staff's, with a session of its own beside a customer's in the same browser. */
import { createClient } from "../../clients/browser.ts";

const socketUrl = document.querySelector<HTMLMetaElement>('meta[name="orderbell:socket"]')?.content;

export const client = createClient({ name: "orderbell:kitchen", guest: false, ...(socketUrl ? { socketUrl } : {}) });

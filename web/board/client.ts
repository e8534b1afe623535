/** The one client of this page. What it reads is open to all; the guest's session is only for the socket's ticket. */
import { createClient } from "../../clients/browser.ts";

const socketUrl = document.querySelector<HTMLMetaElement>('meta[name="orderbell:socket"]')?.content;

export const client = createClient({ name: "orderbell:board", ...(socketUrl ? { socketUrl } : {}) });

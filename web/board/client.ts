/** The client of this page. Its data is public; the guest's session is only for the socket's ticket. */
import { createClient } from "../../clients/browser.ts";

export const client = createClient({ name: "orderbell:board" });

/** Who may store, see and remove which file. */
import { FileUnknown, Forbidden } from "../errors.ts";
import type { Purpose, Uploader, Visibility } from "../purpose.ts";
import { actsForShop, type Session } from "../sessions/session.ts";
import type { File } from "./file.ts";

/** What a session is, by the words of files.yml. */
function wordsFor({ kind, role }: Session): readonly Uploader[] {
  if (kind === "staff") return role === "owner" ? ["owner", "staff"] : ["staff"];
  return [kind];
}

const ofShops: readonly Uploader[] = ["owner", "staff", "key"];

/**
 * The shop that a new file belongs to.
 * @param asked the shop that the request names @throws Forbidden
 */
export function shopFor(session: Session, purpose: Purpose, visibility: Visibility, asked?: string): string | null {
  if (!wordsFor(session).some((word) => purpose.who.includes(word)))
    throw new Forbidden(`files of the purpose "${purpose.name}" are stored by ${purpose.who.join(", ")}`);
  // Where only shops store, a file is always one of a shop.
  const isShops = purpose.who.every((word) => ofShops.includes(word));
  const shop = asked ?? (isShops ? session.shop : null);
  if (shop === null && isShops) throw new Forbidden("this key is bound to no shop; a key that acts for one is");
  if (shop === null) return null;
  if (actsForShop(session)) {
    if (session.shop !== shop) throw new Forbidden(`this session does not act for shop "${shop}"`);
  } else if (visibility === "public")
    // Else anybody could show anything under a shop's name.
    throw new Forbidden(`only staff of shop "${shop}" may show files in public`);
  return shop;
}

/** In whose quota a file counts: pairing a tablet again makes another user, and the shop is the same. */
export const holderOf = (session: Session, shop: string | null) =>
  shop !== null && actsForShop(session) ? `shop:${shop}` : session.user;

const isStaffOf = (session: Session | undefined, shop: string | null) =>
  session !== undefined && shop !== null && actsForShop(session) && session.shop === shop;

export const isShopsOwn = isStaffOf;

/** @throws FileUnknown: that a private file exists is private too */
export function mustSee(session: Session | undefined, file: File): void {
  if (file.visibility !== "private" || session?.user === file.owner || isStaffOf(session, file.shop)) return;
  throw new FileUnknown(file.id);
}

/** Whether it is the caller's to complete and to remove: its owner's, or that of its shop's owner or key. */
export const isOwn = (session: Session, file: File): boolean =>
  session.user === file.owner ||
  (isStaffOf(session, file.shop) && session.role !== "cashier" && session.role !== "kitchen");

/** @throws FileUnknown where it may not be seen, else Forbidden */
export function mustOwn(session: Session, file: File): void {
  mustSee(session, file);
  if (!isOwn(session, file)) throw new Forbidden("this file is somebody else's");
}

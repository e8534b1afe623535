/** Dishes' pictures from before files: they are still served at their old addresses, which menus name, and no new ones are made. */

/** Ending → type. */
const types = { jpg: "image/jpeg", png: "image/png", webp: "image/webp" } as const;
export type PictureType = (typeof types)[keyof typeof types];

const path = /^[A-Za-z0-9_-]{1,40}\/[A-Za-z0-9_-]{22}\.(jpg|png|webp)$/;

/** The type of such a picture by its path; undefined for any other path. */
export function typeOfPicture(name: string): PictureType | undefined {
  const ending = path.exec(name)?.[1];
  return ending === undefined ? undefined : types[ending as keyof typeof types];
}

/** The address that a menu has as `picture`. */
export const addressOfPicture = (path: string) => `/pictures/${path}`;

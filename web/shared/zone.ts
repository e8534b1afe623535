/** The shop's time zone: every time on a page is the shop's, whatever the device's zone is. */
let zone: string | undefined;

export const setZone = (name: string): void => {
  zone = name;
};

/** For `Intl`; the device's own zone until the shop is known. */
export const inZone = (): { timeZone?: string } => (zone === undefined ? {} : { timeZone: zone });

/** Length of a text, as the server counts it: code points, without blanks at the ends. */
export const lengthOf = (text: string): number => [...text.trim()].length;

/** @returns whether the text is so long that its field shows the length */
export const isNear = (text: string, max: number): boolean => lengthOf(text) >= max * 0.75;

export const isTooLong = (text: string, max: number): boolean => lengthOf(text) > max;

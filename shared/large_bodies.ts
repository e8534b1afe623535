/** Routes of functions that take larger bodies than others, by their keys, and how many bytes. */

/**
 * Of a file that comes through a function. Lambda takes events of 6 MB, in which these are base64; the same everywhere, so that what
 * works on this machine works there.
 */
export const maxObjectBytes = 4 * 1_024 * 1_024;

/** A form has its fields beside the file. */
export const maxFormBytes = maxObjectBytes + 64 * 1_024;

export const largeBodies: Readonly<Record<string, number>> = {
  "PUT /v1/storages/objects/{ticket}": maxObjectBytes,
  "POST /v1/storages/objects/{ticket}": maxFormBytes,
};

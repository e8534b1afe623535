/** Contents of files, each the smallest that is one of its type. */

export const contents = {
  "image/png": Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
  "image/jpeg": Buffer.from(
    `ffd8ffe000104a46494600010100000100010000ffdb004300${"01".repeat(64)}ffc0000b080001000101011100ffd9`,
    "hex",
  ),
  "image/webp": Buffer.from("UklGRhYAAABXRUJQVlA4TAkAAAAvAAAAEIiIiP4H", "base64"),
  "image/gif": Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64"),
} as const;

export type Known = keyof typeof contents;

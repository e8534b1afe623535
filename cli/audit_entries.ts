/** `orderbell audit`: entries as lines. */
import type { AuditView } from "../shared/audit.ts";

/** `2026-11-29T12:31:04.100Z  "till" (owner)  my-shop  menu.replace  version=7` */
export function printAudit(answer: unknown): string {
  const { entries, more } = answer as { entries: readonly AuditView[]; more: boolean };
  if (entries.length === 0) return "no entries\n";
  const lines = entries.map(({ at, shop, action, detail, ...who }) =>
    [at, whoOf(who), shop ?? "-", action, detailOf(detail)].filter((one) => one !== "").join("  "),
  );
  return `${lines.join("\n")}\n${more ? `older ones: --before ${entries.at(-1)?.id}\n` : ""}`;
}

function whoOf({ device, operator }: Pick<AuditView, "device" | "operator">): string {
  // A key's session has the key's name, and no role.
  if (device !== null)
    return device.name === null ? `session ${device.id}` : `"${device.name}" (${device.role ?? "key"})`;
  return operator ?? "the server";
}

const detailOf = (detail: AuditView["detail"]) =>
  Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");

/** What a new shop still needs before its first order, in the order in which it is done. Nothing once it is set up. */
import { ask } from "./client.ts";
import { words } from "./dictionary.ts";
import { Card } from "./fields.tsx";
import type { Device, Shop, Table } from "./types.ts";
import { useQuery } from "./use_query.ts";

export function Guide({ shop }: { shop: Shop }) {
  const { value } = useQuery(`${shop.shop} ${shop.version}`, async () => {
    const [{ tables }, { devices }] = await Promise.all([
      ask<{ tables: Table[] }>("GET", shop.shop, "/tables"),
      ask<{ devices: Device[] }>("GET", shop.shop, "/devices"),
    ]);
    return { tables, devices };
  });
  if (value === undefined) return null;
  const { menu, settings, open } = shop;
  const steps = [
    { name: words.guide.category, to: "#menu", done: menu.categories.length > 0 },
    { name: words.guide.dish, to: "#menu", done: menu.dishes.length > 0 },
    { name: words.guide.kitchen, to: "#devices", done: value.devices.some(({ role }) => role !== "owner") },
    { name: words.guide.tables, to: "#tables", done: value.tables.length > 0 || !settings.services.table },
    { name: words.guide.open, to: undefined, done: open },
  ];
  // Tables and opening are no sign of a new shop: some have none, and all close at night.
  if (steps.slice(0, 3).every(({ done }) => done)) return null;
  return (
    <Card title={words.guide.title}>
      <ol class="guide">
        {steps.map(({ name, to, done }) => (
          <li key={name} data-done={done}>
            <span class="tick" aria-hidden="true">
              {done ? "✓" : ""}
            </span>
            {done || to === undefined ? <span>{name}</span> : <a href={to}>{name}</a>}
            {done && <span class="unseen">{words.guide.done}</span>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

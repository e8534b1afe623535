/** A business day in figures. */
import { useEffect, useState } from "preact/hooks";
import { failedStatuses } from "../../shared/order_states.ts";
import { yuan } from "../shared/money.ts";
import { toast } from "../shared/toast.tsx";
import { Bars, HourChart, inOrder } from "./charts.tsx";
import { ask, client } from "./client.ts";
import { dayOf, hourOf, localName, words } from "./dictionary.ts";
import { Card } from "./fields.tsx";
import { Icon } from "./icons.tsx";
import { Failed, Waiting } from "./states.tsx";
import type { Report, Service } from "./types.ts";
import { useQuery } from "./use_query.ts";

const pollMs = 20_000;

const shift = (day: string, days: number) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

export function ReportSection({ id, today }: { id: string; today: string }) {
  const [chosen, setChosen] = useState<string>();
  const day = chosen ?? today;
  const {
    value: report,
    failed,
    reload,
  } = useQuery(`${id} ${day}`, () => ask<Report>("GET", id, `/report?day=${day}`));
  // Polled: the stream of orders is the kitchen's, and a page that reads it counts as a kitchen screen.
  useEffect(() => {
    if (day !== today) return;
    const timer = setInterval(() => document.hidden || void reload(), pollMs);
    return () => clearInterval(timer);
  }, [reload, day, today]);

  return (
    <div class="stack">
      <div class="row days">
        <button
          type="button"
          class="button round"
          aria-label={words.dayBefore}
          onClick={() => setChosen(shift(day, -1))}
        >
          <Icon name="left" />
        </button>
        <label class="day">
          <span class="unseen">{words.day}</span>
          <input
            type="date"
            max={today}
            value={day}
            onChange={({ currentTarget }) => currentTarget.value !== "" && setChosen(currentTarget.value)}
          />
        </label>
        <button
          type="button"
          class="button round"
          aria-label={words.dayAfter}
          disabled={day >= today}
          onClick={() => setChosen(shift(day, 1))}
        >
          <Icon name="right" />
        </button>
        {day !== today && (
          <button type="button" class="button plain" onClick={() => setChosen(today)}>
            {words.today}
          </button>
        )}
      </div>
      {report !== undefined ? (
        <Figures report={report} isToday={day === today} onDownload={() => void download(id, day)} />
      ) : failed !== undefined ? (
        <Failed error={failed} onRetry={() => void reload()} />
      ) : (
        <Waiting />
      )}
    </div>
  );
}

interface FiguresProps {
  report: Report;
  isToday: boolean;
  onDownload(): void;
}

function Figures({ report, isToday, onDownload }: FiguresProps) {
  const { orders, totalFen, paidFen, byStatus, byService, byHour, dishes } = report;
  const expired = byStatus.expired ?? 0;
  const fallen = failedStatuses.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0) - expired;
  const missed = expired > 0 && (
    <p class="note bad">
      {words.missed(expired, yuan(report.expiredFen))} <a href="#settings">{words.missedWhy}</a>
    </p>
  );
  const heading = isToday ? `${words.today} · ${dayOf(report.day)}` : dayOf(report.day);
  if (orders === 0)
    return (
      <>
        {missed}
        <section class="card empty" aria-label={heading}>
          <Icon name="report" size={48} />
          <p class="big">{words.nothingSold}</p>
          <p>{fallen > 0 ? words.fallen(fallen) : words.nothingSoldHint}</p>
        </section>
      </>
    );
  const hours = inOrder(byHour);
  const peak = hours.reduce(
    (most, hour) => (hour.orders > most.orders ? hour : most),
    hours[0] as (typeof hours)[number],
  );
  return (
    <>
      {missed}
      <section class="tiles" aria-label={heading}>
        <Tile name={words.takings} value={yuan(totalFen)} note={heading} main />
        <Tile name={words.orders} value={String(orders)} note={fallen > 0 ? words.fallen(fallen) : undefined} />
        <Tile name={words.average} value={yuan(Math.round(totalFen / orders))} />
        <Tile
          name={words.paid}
          value={yuan(paidFen)}
          note={paidFen < totalFen ? words.unpaid(yuan(totalFen - paidFen)) : words.allPaid}
        />
      </section>
      <div class="columns">
        <Card title={words.byHour}>
          <HourChart hours={hours} label={words.byHourSummary(orders, hourOf(peak.hour))} />
          <Numbers
            head={[words.hour, words.orders, words.amount]}
            rows={hours.map((hour) => [hourOf(hour.hour), String(hour.orders), yuan(hour.totalFen)])}
            caption={words.byHour}
          />
        </Card>
        <Card
          title={words.best}
          aside={
            <button type="button" class="button" onClick={onDownload}>
              {words.csv}
            </button>
          }
        >
          <Bars
            rows={dishes
              .slice(0, 10)
              .map(({ dish, names, quantity }) => ({ key: dish, name: localName(names), value: quantity }))}
          />
          <Numbers
            head={[words.dish, words.sold, words.amount]}
            rows={dishes.map(({ names, quantity, totalFen: fen }) => [localName(names), String(quantity), yuan(fen)])}
            caption={words.best}
          />
        </Card>
      </div>
      <Card title={words.byService}>
        <ul class="chips">
          {(Object.keys(words.service) as Service[]).map((service) => (
            <li key={service}>
              {words.service[service]} <b>{byService[service] ?? 0}</b>
            </li>
          ))}
        </ul>
      </Card>
    </>
  );
}

function Tile({
  name,
  value,
  note,
  main = false,
}: {
  name: string;
  value: string;
  note?: string | undefined;
  main?: boolean;
}) {
  return (
    <dl class={main ? "tile main" : "tile"}>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        {note !== undefined && <small>{note}</small>}
      </dd>
    </dl>
  );
}

/** A chart's values as a table, for exact figures and screen readers. */
function Numbers({ head, rows, caption }: { head: string[]; rows: string[][]; caption: string }) {
  return (
    <details class="numbers">
      <summary>{words.numbers}</summary>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...rest], at) => (
            <tr key={at}>
              <th scope="row">{first}</th>
              {rest.map((cell, nth) => (
                <td key={nth}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** Fetches the file and saves it: a plain link cannot send the session's token. */
async function download(id: string, day: string): Promise<void> {
  try {
    const answer = await fetch(`/shops/${id}/report?day=${day}&format=csv`, {
      headers: { authorization: `Bearer ${client.session()?.token ?? ""}` },
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = `${id}-${day}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch {
    toast(words.noAnswer);
  }
}

/** Simple charts as SVG. Their values are also beside them as text. */
import { useEffect, useRef, useState } from "preact/hooks";
import { hourOf } from "./dictionary.ts";
import type { Report } from "./types.ts";

type Hours = Report["byHour"];

/** A business day begins in the morning: orders after midnight come last. */
const dawn = 4;
const place = (hour: number) => (hour + 24 - dawn) % 24;
export const inOrder = (hours: Hours): Hours => [...hours].sort((a, b) => place(a.hour) - place(b.hour));

const [height, above, below] = [180, 24, 24];

/** Orders by hour, without gaps from the first hour to the last, and at least from lunch to dinner. */
export function HourChart({ hours, label }: { hours: Hours; label: string }) {
  const [frame, width] = useWidth(320);
  const places = hours.map(({ hour }) => place(hour));
  const from = Math.min(place(10), ...places);
  const to = Math.max(place(21), ...places);
  const all = Array.from({ length: to - from + 1 }, (_, nth) => {
    const hour = (from + nth + dawn) % 24;
    return hours.find((one) => one.hour === hour) ?? { hour, orders: 0, totalFen: 0 };
  });
  const most = Math.max(1, ...hours.map(({ orders }) => orders));
  const step = width / all.length;
  const bar = Math.min(36, step * 0.62);
  const floor = height - below;
  // Labels that would overlap are left out.
  const every = Math.ceil(44 / step);
  return (
    <div ref={frame} class="chart" translate={false}>
      <svg viewBox={`0 0 ${width} ${height}`} height={height} role="img" aria-label={label}>
        <path d={`M0 ${floor}.5H${width}`} class="axis" />
        {all.map(({ hour, orders }, at) => {
          const tall = (orders / most) * (floor - above);
          const middle = (at + 0.5) * step;
          return (
            <g key={hour}>
              {orders > 0 && (
                <>
                  <rect
                    x={middle - bar / 2}
                    y={floor - tall}
                    width={bar}
                    height={tall}
                    rx={Math.min(4, tall)}
                    class="bar"
                  />
                  <text x={middle} y={floor - tall - 7} class="value">
                    {orders}
                  </text>
                </>
              )}
              {at % every === 0 && (
                <text x={middle} y={height - 6}>
                  {hourOf(hour)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

export interface BarsProps {
  rows: readonly { key: string; name: string; value: number }[];
}

export function Bars({ rows }: BarsProps) {
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return (
    <ol class="bars">
      {rows.map(({ key, name, value }) => (
        <li key={key}>
          <span>{name}</span>
          <b>{value}</b>
          <svg width="100%" height="8" aria-hidden="true">
            <rect width="100%" height="8" rx="4" class="ground" />
            <rect width={`${(value / most) * 100}%`} height="8" rx="4" class="bar" />
          </svg>
        </li>
      ))}
    </ol>
  );
}

/** The width of its container, so that letters keep their size. */
function useWidth(first: number) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const element = frame.current as HTMLDivElement;
    const measure = () => setWidth(Math.max(200, element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [frame, width] as const;
}

/** Reads what many readers lack: the heads of their streams and the events behind their positions, in one snapshot. */
import type { Database, Row } from "./database.ts";
import { jsonOf, powersOfTwo } from "./dialect.ts";
import { join, raw, type Sql, sql } from "./sql.ts";
import { aroundBytes, type Head, headOf, headsByName, noHead, readBacklog, readHeads, readMark } from "./streams.ts";

/** A reader's position; without `seq` it reads from now on. */
export interface From {
  readonly stream: string;
  readonly seq: number | undefined;
}

/** What a reader lacks. */
export interface Lacking {
  readonly head: Head;
  /** The tag of the event at the position: undefined when it was trimmed, and where nothing is lacking. */
  readonly mark: string | undefined;
  /** The events behind the position, in order. */
  readonly rows: readonly Row[];
}

/** Of one reader's events: how many, and how many bytes; the event that exceeds them is the last one. */
export interface Bounds {
  readonly events: number;
  readonly bytes: number;
}

/** In one statement on PostgreSQL. Elsewhere the heads first, and only if somebody is behind, the events. */
export async function readLacking(db: Database, froms: readonly From[], bounds: Bounds): Promise<Lacking[]> {
  if (db.dialect.rowsAsJson) {
    const [rows] = await db.read([allAsJson(froms, bounds)]);
    const found = byAsk(rows);
    return froms.map((_, ask) => {
      const own = found.get(ask) ?? [];
      const { epoch, head_seq, head_tag, mark } = own[0] as Row;
      const head = epoch === null ? noHead : headOf({ epoch, seq: head_seq, tag: head_tag } as Row);
      return { head, mark: textOf(mark), rows: own.filter(({ seq }) => seq !== null) };
    });
  }
  const [known] = await db.read([headsOf(froms)]);
  const heads = headsByName(known);
  const behind = froms.flatMap(({ stream, seq }, ask) =>
    seq !== undefined && (heads.get(stream)?.seq ?? 0) > seq ? [{ ask, stream, seq }] : [],
  );
  if (behind.length === 0) return froms.map(({ stream }) => nothing(heads.get(stream)));
  const pieces = powersOfTwo(behind);
  const statements: Sql[] = [...pieces.map(marksOf), ...pieces.map((piece) => eventsOf(piece, bounds))];
  const [again = [], ...found] = await db.read([headsOf(froms), ...statements]);
  const now = headsByName(again);
  const marks = byAsk(found.slice(0, pieces.length).flat());
  const events = byAsk(found.slice(pieces.length).flat());
  return froms.map(({ stream }, ask) => ({
    head: now.get(stream) ?? noHead,
    mark: textOf(marks.get(ask)?.[0]?.tag),
    rows: events.get(ask) ?? [],
  }));
}

const nothing = (head: Head = noHead): Lacking => ({ head, mark: undefined, rows: [] });
const textOf = (value: Row[string] | undefined) => (value == null ? undefined : String(value));

/** The rows of each reader, those of events in their order. */
function byAsk(rows: readonly Row[]): Map<number, Row[]> {
  const found = new Map<number, Row[]>();
  for (const row of rows) {
    const own = found.get(Number(row.ask));
    if (own === undefined) found.set(Number(row.ask), [row]);
    else own.push(row);
  }
  for (const own of found.values()) own.sort((a, b) => Number(a.seq) - Number(b.seq));
  return found;
}

/**
 * A row for each event that a reader lacks, or one for its head alone. The lengths are summed from the events' headers, so that
 * what does not fit is neither sent nor unpacked.
 */
function allAsJson(froms: readonly From[], { events, bytes }: Bounds): Sql {
  const rows = froms.map(({ stream, seq = null }, ask) => ({ ask, stream, seq }));
  const size = sql`octet_length(data) + ${raw(String(aroundBytes))}`;
  return sql`SELECT a.ask, s.epoch, s.seq AS head_seq, s.tag AS head_tag, e.seq, e.tag, e.prev, e.type, e.data, e.at,
      CASE WHEN s.seq > a.seq THEN (SELECT m.tag FROM events m WHERE m.stream = a.stream AND m.seq = a.seq) END AS mark
    FROM json_to_recordset(${jsonOf(rows)}::json) AS a(ask integer, stream varchar, seq bigint)
    LEFT JOIN LATERAL (SELECT h.epoch, h.seq, h.tag FROM streams h WHERE h.name = a.stream LIMIT 1) s ON true
    LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT seq, tag, prev, type, data, at, sum(${size}) OVER (ORDER BY seq) - (${size}) AS bytes_before FROM events
        WHERE stream = a.stream AND seq > a.seq AND s.seq > a.seq ORDER BY seq LIMIT ${raw(String(events))}) sized
      WHERE bytes_before <= ${raw(String(bytes))}) e ON true`;
}

const headsOf = (froms: readonly From[]): Sql => readHeads([...new Set(froms.map(({ stream }) => stream))]);

interface Behind {
  readonly ask: number;
  readonly stream: string;
  readonly seq: number;
}

const askOf = ({ ask }: Behind) => sql`CAST(${ask} AS decimal(20)) AS ask`;

const marksOf = (behind: readonly Behind[]): Sql =>
  join(
    behind.map((one) => sql`(SELECT ${askOf(one)}, m.* FROM (${readMark(one.stream, one.seq)}) m)`),
    " UNION ALL ",
  );

const eventsOf = (behind: readonly Behind[], bounds: Bounds): Sql =>
  join(
    behind.map((one) => sql`(SELECT ${askOf(one)}, e.* FROM (${readBacklog(one.stream, one.seq, bounds)}) e)`),
    " UNION ALL ",
  );

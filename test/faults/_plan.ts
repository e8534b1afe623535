/** A seeded plan of faults. The same seed, length and scene give the same plan. Pure. */

export type Fault =
  /** The process dies at once and is started again. */
  | { readonly kind: "kill"; readonly process: number; readonly forMs: number }
  /** The process is asked to end (SIGTERM) and is started again. */
  | { readonly kind: "stop"; readonly process: number; readonly forMs: number }
  /** The process gets no processor (SIGSTOP), its sockets stay. */
  | { readonly kind: "freeze"; readonly process: number; readonly forMs: number }
  /** Connections are cut and new ones fail: between a process and the database, or between clients and a process. */
  | { readonly kind: "cut"; readonly wire: WireName; readonly process: number; readonly forMs: number }
  /** The other side's bytes are swallowed, nothing is closed. */
  | { readonly kind: "silence"; readonly wire: WireName; readonly process: number; readonly forMs: number }
  | {
      readonly kind: "lag";
      readonly wire: WireName;
      readonly process: number;
      readonly forMs: number;
      readonly lagMs: number;
    }
  /** Pushes are lost, doubled in time, overtake each other. */
  | {
      readonly kind: "weather";
      readonly process: number;
      readonly forMs: number;
      readonly lost: number;
      readonly delayed: number;
      readonly delayMs: number;
    }
  /** The wall clock of a process steps. */
  | { readonly kind: "clock"; readonly process: number; readonly byMs: number }
  /** The database server ends every connection of this shop. */
  | { readonly kind: "terminate" }
  /** A copy of the database is taken, for a later `restore`. */
  | { readonly kind: "copy" }
  /** The database goes back to the last copy, as a fail-over to a replica that lags does; sockets and orders go on. */
  | { readonly kind: "restore" };

export type WireName = "database" | "people";

export interface Step {
  /** After the beginning of its round. */
  readonly atMs: number;
  readonly fault: Fault;
}

export interface Scene {
  readonly processes: number;
  /** An embedded database has no wire, no server and no copy. */
  readonly embedded: boolean;
}

/** Numbers from 0 to 1 that depend on nothing but the seed (mulberry32). */
export function makeRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Kind = Fault["kind"];

/** How often each kind is drawn. `restore` is placed by hand: it needs a copy before it. */
const weights: readonly (readonly [Kind, number])[] = [
  ["kill", 2],
  ["stop", 1],
  ["freeze", 1],
  ["cut", 3],
  ["silence", 2],
  ["lag", 2],
  ["weather", 4],
  ["clock", 2],
  ["terminate", 1],
];

const needsServer: ReadonlySet<Kind> = new Set(["terminate"]);
/** Steps of a clock: small ones, those beyond a ticket's life, and those beyond every sweep. */
const clockStepsMs = [1_000, 5_000, 70_000, 600_000, 3_600_000] as const;

/**
 * One round: a storm of `stormMs`, after which everything is mended and the judge looks.
 * With a server, every second round goes back to a copy while orders go on.
 */
export function planRound(
  random: () => number,
  round: number,
  stormMs: number,
  { processes, embedded }: Scene,
): Step[] {
  const known = weights.filter(([kind]) => !(embedded && needsServer.has(kind)));
  const total = known.reduce((sum, [, weight]) => sum + weight, 0);
  const draw = (): Kind => {
    let left = random() * total;
    for (const [kind, weight] of known) {
      left -= weight;
      if (left < 0) return kind;
    }
    return "weather";
  };
  const steps: Step[] = [];
  for (let atMs = 200 + random() * 600; atMs < stormMs; atMs += 300 + random() * 1_200) {
    const process = Math.floor(random() * processes);
    const forMs = Math.round(150 + random() * 1_350);
    const wire: WireName = !embedded && random() < 0.5 ? "database" : "people";
    const kind = draw();
    const step = clockStepsMs[Math.floor(random() * clockStepsMs.length)] as number;
    const fault = faultOf(kind, { process, forMs, wire, random, step });
    steps.push({ atMs: Math.round(atMs), fault });
  }
  if (!embedded && round % 2 === 0) {
    const copyAtMs = Math.round(stormMs * (0.1 + random() * 0.3));
    const backAtMs = Math.round(copyAtMs + stormMs * (0.15 + random() * 0.3));
    steps.push({ atMs: copyAtMs, fault: { kind: "copy" } }, { atMs: backAtMs, fault: { kind: "restore" } });
  }
  return steps.toSorted((left, right) => left.atMs - right.atMs);
}

interface Drawn {
  readonly process: number;
  readonly forMs: number;
  readonly wire: WireName;
  readonly step: number;
  readonly random: () => number;
}

function faultOf(kind: Kind, { process, forMs, wire, step, random }: Drawn): Fault {
  switch (kind) {
    case "kill":
    case "stop":
    case "freeze":
      return { kind, process, forMs };
    case "cut":
    case "silence":
      return { kind, wire, process, forMs };
    case "lag":
      return { kind, wire, process, forMs, lagMs: Math.round(5 + random() * 120) };
    case "weather":
      return {
        kind,
        process,
        forMs: forMs * 2,
        lost: random() * 0.5,
        delayed: random() * 0.6,
        delayMs: Math.round(20 + random() * 400),
      };
    case "clock":
      return { kind, process, byMs: random() < 0.5 ? step : -step };
    case "terminate":
    case "copy":
    case "restore":
      return { kind };
  }
}

/** Opens what the settings ask for: figures for Prometheus, traces for OpenTelemetry. Their packages are loaded only then. */
import type { Scrape } from "../apigateway/local/http.ts";
import type { ServerConfig } from "../shared/config.ts";
import type { MachineInstrument } from "./machine_instrument.ts";
import { openMetricsPort } from "./metrics_port.ts";

export interface Measuring {
  readonly instruments: readonly MachineInstrument[];
  readonly onTrip: (() => void) | undefined;
  /** For the server's own port. */
  readonly scrape: Scrape | undefined;
  /** Where the figures are, if they have a port of their own. */
  readonly metricsUrl: string | undefined;
  /** Sends what is not sent yet, in bounded time. */
  close(): Promise<void>;
}

/** @throws UsageError when the packages for traces are not installed; the error of `listen` about METRICS_PORT */
export async function openMeasuring({ metrics: asked, traces: isTraced }: ServerConfig): Promise<Measuring> {
  const metrics = asked === undefined ? undefined : (await import("./metrics.ts")).openMetrics(asked.token);
  const traces = isTraced ? await (await import("./traces.ts")).openTraces() : undefined;
  const port =
    asked?.port === undefined || metrics === undefined
      ? undefined
      : await openMetricsPort(asked.host, asked.port, metrics.scrape);
  return {
    instruments: [metrics?.instrument, traces?.instrument].filter((one) => one !== undefined),
    onTrip: metrics?.trip,
    scrape: port === undefined ? metrics?.scrape : undefined,
    metricsUrl: port?.url,
    async close() {
      await Promise.all([port?.close(), traces?.close()]);
    },
  };
}

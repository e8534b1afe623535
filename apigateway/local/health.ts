/** GET /healthz: whether this server can serve, for load balancers. */
import type { ServerResponse } from "node:http";
import type { HttpAnswers } from "./http_answers.ts";

export interface HealthOptions {
  /** Whether the database answers. */
  readonly healthy: () => Promise<boolean>;
  /** Further members of the answer. */
  readonly health: () => object;
  readonly isStopping: () => boolean;
}

export function healthRoute(
  { healthy, health, isStopping }: HealthOptions,
  answers: HttpAnswers,
): (response: ServerResponse) => Promise<void> {
  let checking: Promise<boolean> | undefined;
  return async (response) => {
    // Requests at the same time share one check of the database.
    checking ??= healthy().finally(() => {
      checking = undefined;
    });
    const isHealthy = await checking;
    const status = isStopping() ? "stopping" : isHealthy ? "ok" : "database away";
    const body = { status, ...health() };
    answers.json(response, status === "ok" ? 200 : 503, body, { "cache-control": "no-store" });
  };
}

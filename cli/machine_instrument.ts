/** What measures a server on this machine: beside the parts of every app, the gateway and the memory of this process. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connections } from "../apigateway/local/connections.ts";
import type { ObserveRequest } from "../apigateway/local/http.ts";
import type { Call } from "../apigateway/local/invoke.ts";
import type { Routes } from "../apigateway/local/routes.ts";
import type { App } from "../shared/app.ts";
import type { Instrument } from "../shared/instrument.ts";

export interface MachineInstrument extends Instrument {
  /** Is told of each request when it begins. */
  readonly request?: (request: IncomingMessage, response: ServerResponse, routes: Routes) => void;
  /** Calls of functions for requests, frames and schedules. */
  readonly call?: (call: Call) => Call;
  /** Gets what can be looked at, as soon as it is there. */
  readonly look?: (app: App, connections: Connections) => void;
}

/** @returns undefined where nobody looks, so that nothing is called */
export function lineSeenBy(instruments: readonly MachineInstrument[]): MachineInstrument["line"] {
  const all = instruments.flatMap(({ line }) => line ?? []);
  return all.length < 2
    ? all[0]
    : (level, event, fields) => {
        for (const line of all) line(level, event, fields);
      };
}

export function requestSeenBy(instruments: readonly MachineInstrument[], routes: Routes): ObserveRequest | undefined {
  const all = instruments.flatMap(({ request }) => request ?? []);
  if (all.length === 0) return undefined;
  return (request, response) => {
    for (const seen of all) seen(request, response, routes);
  };
}

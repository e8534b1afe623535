/** A test server whose functions run as in a cloud: its events come in, and pushes go out by its HTTP calls. */
import { awsPusher } from "../../apigateway/aws.ts";
import { type Management, startManagement } from "../../apigateway/local/management.ts";
import { localGateway } from "../../apigateway/local.ts";
import { type Pusher, remoteGateway } from "../../apigateway/remote.ts";
import { tencentPusher } from "../../apigateway/tencent.ts";
import { type GatewayParts, partsOfLocal } from "../../cli/machine.ts";
import type { Engine } from "../_engines.ts";
import { type House, type HouseOptions, openHouse } from "../_house.ts";

export type Cloud = "local" | "aws" | "tencent";

export interface CloudHouse extends House {
  readonly management: Management;
  /** How long the gateway wanted to wait between its tries; it does not in fact. */
  readonly slept: number[];
}

const credentials = { region: "us-east-1", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-for-tests" };

export async function openCloud(engine: Engine, cloud: Cloud, options: HouseOptions = {}): Promise<CloudHouse> {
  const slept: number[] = [];
  let house: House | undefined;
  const management = await startManagement({
    connections: () => (house as House).server.connections,
    credentials,
    stage: "dev",
    maxMessageBytes: 128 * 1_024,
  });
  const pusher: Pusher =
    cloud === "aws" ? awsPusher({ ...credentials, timeoutMs: 5_000 }) : tencentPusher(management.tencentUrl, 5_000);
  const address = cloud === "aws" ? undefined : "tencent";
  const callback = { aws: management.url, tencent: "tencent", local: undefined }[cloud];

  house = await openHouse(engine, {
    ...options,
    ...(cloud === "local" ? {} : { cloud }),
    environment: { ...(callback === undefined ? {} : { CALLBACK_URL: callback }), ...options.environment },
    gateway(parts: GatewayParts) {
      const { db, clock, random, log } = parts;
      const sleep = async (ms: number) => void slept.push(ms);
      if (cloud === "local") return localGateway({ ...partsOfLocal(parts), sleep });
      const maxStreams = Number(options.environment?.STREAMS_PER_CONNECTION ?? 20);
      return remoteGateway({
        db,
        pusher,
        clock: { now: clock.now, sleep },
        random,
        log,
        maxStreams,
        graceMs: 15_000,
        address,
      });
    },
  });
  const own = house;
  return {
    ...own,
    get app() {
      return own.app;
    },
    get server() {
      return own.server;
    },
    management,
    slept,
    async close() {
      await own.close();
      await management.close();
    },
  };
}

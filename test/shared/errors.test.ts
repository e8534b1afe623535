/** Every class of error against the schema of its code in openapi.yaml: its members, and whether a retry helps. */
import { http } from "../../apigateway/entry.ts";
import type { HttpEvent } from "../../apigateway/events.ts";
import type { App } from "../../shared/app.ts";
import * as errors from "../../shared/errors.ts";
import { readLaw } from "../_contract.ts";

type Classes = Omit<typeof errors, "codes" | "statusOf" | "AppError">;
/** What each class is made of. A class that is missing here does not compile. */
const given: { [Name in keyof Classes]: ConstructorParameters<Classes[Name]> } = {
  Malformed: ["the body is not JSON"],
  InvalidInput: ["lines.0.quantity", "at most 99"],
  IdempotencyKeyMissing: [],
  BodyTooLarge: [524_288],
  MediaTypeUnsupported: ["text/plain", "application/json"],
  RouteUnknown: ["GET", "/nowhere"],
  UpgradeRequired: [],
  SessionMissing: [],
  SessionInvalid: [],
  SessionExpired: [],
  SessionEnded: [],
  TicketInvalid: [],
  PairingCodeInvalid: [],
  ApiKeyInvalid: ["the key lacks the scope"],
  TokenInvalid: ["it is over"],
  GrantInvalid: [],
  LoginCodeInvalid: [],
  LoginCodeUsed: [],
  LoginDataInvalid: ["signature"],
  LoginBlocked: [],
  LoginTooOften: [1_500],
  AppUnknown: ["no mini-program was added yet"],
  Forbidden: ["this is for owners"],
  GuestsRefused: ["noodle-house"],
  StreamForbidden: ["shop:noodle-house"],
  ConfirmAtCounter: ["01M7Y4F3BB8YRR8H69MPW67S0E"],
  TooManySessions: [1_500, { name: "guests", limit: 1_000, windowSec: 3_600 }],
  TooManyConnections: [10],
  TooManyStreams: [20],
  TooManyUnaccepted: ["table", 5],
  PublishTooFast: ["20 messages", { name: "messages", limit: 20, windowSec: 1 }],
  TooManyMembers: ["a room has at most 200 tabs and devices of members"],
  RoomsOff: [],
  TooManyRooms: ["user", 1_500, { name: "rooms-user", limit: 20, windowSec: 3_600 }],
  RoomsFull: [],
  ShopUnknown: ["noodle-house"],
  OrderUnknown: ["01M7Y4F3BB8YRR8H69MPW67S0E"],
  DishUnknown: ["bun"],
  TableUnknown: [],
  DeviceUnknown: ["01M7Y4F3BB8YRR8H69MPW67S0E"],
  UserUnknown: ["01M7Y4F3BB8YRR8H69MPW67S0E"],
  StreamUnknown: ["room:01M7Y4F3BB8YRR8H69MPW67S0E"],
  GameUnknown: ["01M7Y5YCX0DV05B7NH4DVY729V"],
  ConnectionUnknown: [],
  KeyReused: [],
  ShopClosed: ["noodle-house"],
  KitchenOffline: ["noodle-house"],
  SoldOut: ["bun", 2],
  DishUnavailable: ["bun"],
  PriceChanged: [500, 600],
  OptionsInvalid: ["bun", "choose a size"],
  ServiceNotOffered: ["delivery"],
  BelowMinimum: [3_000],
  OrderTooLarge: ["at most 99 portions"],
  EventTooLarge: [16_384],
  StepNotAllowed: ["accept", "completed"],
  OrderChanged: [3],
  VersionMismatch: ["8"],
  StockBelowSold: ["bun", 2],
  StockAboveLimit: ["bun", 100_001, 100_000],
  NoStockCount: ["bun"],
  MenuInvalid: [["two dishes have the id bun"]],
  PublishOutOfOrder: [],
  FrameTooLarge: [32_768],
  SlowReader: [],
  NotSupported: ["geoNear", "query"],
  CollectionUnknown: ["notes"],
  DocumentUnknown: ["notes", "one"],
  DocumentsInvalid: [["line 3: no JSON"]],
  DocumentExists: ["notes", "one"],
  TooManyDocuments: ["more than 1000 documents"],
  TooManyWatches: [50],
  CollectionFull: ["notes", 1_000],
  OwnerFull: ["notes", 100],
  TransactionUnknown: [],
  TransactionConflict: ["notes"],
  PurposeUnknown: ["selfies"],
  FileUnknown: ["01M7Y4F3BB8YRR8H69MPW67S0E"],
  FileTypeRefused: ["image/svg+xml", ["image/png"]],
  FileTooLarge: [2_097_152],
  FilesFull: ["picture", "user", 209_715_200, 200],
  FileNotStored: [[{ part: 1, bytes: 16_777_216 }]],
  FileContentWrong: ["the content is not image/png"],
  WechatAway: [],
  WechatAnswerInvalid: [],
  WechatMisconfigured: [40013],
  DatabaseAway: [],
  FilesAway: [],
  TokenKeysAway: ["404"],
  Overloaded: [],
  Stopping: [],
  Internal: [],
};

const classes: Readonly<Record<string, unknown>> = { ...errors };
const made = Object.entries(given).map(([name, parts]) => {
  const Made = classes[name] as new (...parts: readonly unknown[]) => errors.AppError;
  return [name, new Made(...parts)] as const;
});

const event = {
  routeKey: "GET /",
  rawPath: "/",
  headers: {},
  requestContext: { requestId: "r1", http: { method: "GET" } },
} as unknown as HttpEvent;
const app = { clock: { now: () => 0 }, log: { info() {}, error() {} } } as unknown as App;

describe("an error", () => {
  it.each(made)("%s is answered as the schema of its code says, with its advice on retries", async (_, error) => {
    const { api } = readLaw();
    const answer = await http({ "GET /": () => Promise.reject(error) })(app)(event);
    const body = JSON.parse(String(answer.body));
    expect(api.fault({ $ref: `schema:${error.code}` }, body)).toBeUndefined();
    expect([answer.statusCode, body.status, body.type]).toEqual([error.status, error.status, `/errors#${error.code}`]);
    expect(api.follow({ $ref: `schema:${error.code}` })["x-retry"]).toBe(error.retry);
  });

  it("has a class for each code", () => {
    expect(new Set(made.map(([, { code }]) => code))).toEqual(new Set(errors.codes));
  });
});

/** The events that call us, as the clouds send them, and the answers they take. Sources: the API Gateway developer guide; SCF's WebSocket pages. */

/** AWS HTTP API, payload format 2.0. */
export interface HttpEvent {
  readonly version: "2.0";
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  /** Lower-case names; a name that came twice is joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly domainName: string;
    readonly requestId: string;
    readonly stage: string;
    readonly timeEpoch: number;
    readonly http: {
      readonly method: string;
      readonly path: string;
      readonly protocol: string;
      readonly sourceIp: string;
      readonly userAgent: string;
    };
    readonly [more: string]: unknown;
  };
  readonly [more: string]: unknown;
}

export interface HttpResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

interface SocketContext {
  readonly connectionId: string;
  readonly domainName: string;
  readonly stage: string;
  readonly requestId: string;
  readonly connectedAt: number;
  readonly requestTimeEpoch: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent?: string };
  readonly routeKey: string;
  readonly [more: string]: unknown;
}

/** AWS WebSocket API. Headers come with CONNECT only; a MESSAGE has a body and nothing else. */
export interface ConnectEvent {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestContext: SocketContext & { readonly eventType: "CONNECT" };
  readonly [more: string]: unknown;
}

export interface MessageEvent {
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: SocketContext & { readonly eventType: "MESSAGE"; readonly messageId: string };
}

/** Best effort: it may never come. */
export interface DisconnectEvent {
  readonly requestContext: SocketContext & {
    readonly eventType: "DISCONNECT";
    readonly disconnectStatusCode?: number;
    readonly disconnectReason?: string;
  };
  readonly [more: string]: unknown;
}

export interface SocketResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Tencent's register, transmit and cleanup functions: one shape, told apart by `action`. */
export interface TencentEvent {
  readonly requestContext?: { readonly sourceIp?: string; readonly [more: string]: unknown };
  readonly websocket: {
    readonly action: "connecting" | "data send" | "closing";
    readonly secConnectionID: string;
    readonly secWebSocketProtocol?: string;
    readonly dataType?: "text" | "binary";
    readonly data?: string;
  };
}

export interface TencentResult {
  readonly errNo: number;
  readonly errMsg: string;
  readonly websocket?: {
    readonly action: "connecting";
    readonly secConnectionID: string;
    readonly secWebSocketProtocol?: string;
  };
}

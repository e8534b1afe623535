/**
 * Events as the clouds send them, and the results they take. AWS's types come from `@types/aws-lambda`; each interface adds
 * only what AWS's type lacks, and `extends` makes the compiler reject a contradiction.
 * Sources: the API Gateway developer guide; SCF's WebSocket pages.
 */
import type {
  APIGatewayEventIdentity,
  APIGatewayEventWebsocketRequestContextV2,
  APIGatewayProxyEventHeaders,
  APIGatewayProxyEventMultiValueHeaders,
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  APIGatewayProxyWebsocketEventV2WithRequestContext,
} from "aws-lambda";

/** AWS HTTP API, payload format 2.0. Names of headers are in lower case; the values of a repeated name are joined by a comma. */
export interface HttpEvent extends Readonly<Omit<APIGatewayProxyEventV2, "body">> {
  readonly version: "2.0";
  /** AWS leaves an empty body out; gateways that imitate it send null. */
  readonly body?: string | null;
}

/** AWS requires none of these fields; our results have all, and their headers are text. */
export interface HttpResult extends Readonly<APIGatewayProxyStructuredResultV2> {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** AWS's type has no `identity`, and a `messageId` in every event: only a MESSAGE has one. */
interface SocketContext extends Readonly<Omit<APIGatewayEventWebsocketRequestContextV2, "messageId">> {
  readonly identity: Readonly<Pick<APIGatewayEventIdentity, "sourceIp"> & Partial<APIGatewayEventIdentity>>;
}

interface ConnectContext extends SocketContext {
  readonly eventType: "CONNECT";
}

interface MessageContext extends Readonly<APIGatewayEventWebsocketRequestContextV2>, SocketContext {
  readonly eventType: "MESSAGE";
  readonly messageId: string;
}

interface DisconnectContext extends SocketContext {
  readonly eventType: "DISCONNECT";
  readonly disconnectStatusCode?: number;
  readonly disconnectReason?: string;
}

/** AWS WebSocket API. AWS's type has no headers: they come with CONNECT, and a few with DISCONNECT. */
export interface ConnectEvent extends Readonly<APIGatewayProxyWebsocketEventV2WithRequestContext<ConnectContext>> {
  readonly headers: Readonly<APIGatewayProxyEventHeaders>;
  readonly multiValueHeaders?: Readonly<APIGatewayProxyEventMultiValueHeaders>;
}

export type MessageEvent = Readonly<APIGatewayProxyWebsocketEventV2WithRequestContext<MessageContext>>;

/** Best effort: the event may never come. */
export interface DisconnectEvent
  extends Readonly<APIGatewayProxyWebsocketEventV2WithRequestContext<DisconnectContext>> {
  readonly headers?: Readonly<APIGatewayProxyEventHeaders>;
  readonly multiValueHeaders?: Readonly<APIGatewayProxyEventMultiValueHeaders>;
}

export interface SocketResult extends Readonly<APIGatewayProxyStructuredResultV2> {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Tencent's register, transmit and cleanup functions: one shape, distinguished by `action`. */
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

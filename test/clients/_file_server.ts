/**
 * A server of files for the SDK's tests, over real HTTP and in memory: the routes as openapi.yaml has them, a store with signed addresses
 * that expire, and whatever a network or a store may do to a request. What a whole server does is tested with one.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FileView } from "../../clients/files.ts";

/** What happens to a request. */
export type Fault =
  | { status: number; body?: string }
  /** The line breaks before the server has done anything, or after everything. */
  | "lost"
  | "answer lost"
  /** Nothing is answered. */
  | "silent";

export interface FileServer {
  readonly url: string;
  /** Each request in its order, such as `PUT part 2`. */
  readonly said: string[];
  /** The most requests to the store that ran at once. */
  mostAtOnce(): number;
  /** The bytes of a file. */
  bytesOf(id: string): Buffer;
  readonly files: ReadonlyMap<string, FileView>;
  /** Decides what happens to a request, by its line and how often that came; by default nothing. A promise holds it back. */
  fault: (what: string, nth: number) => Fault | undefined | Promise<undefined>;
  /** All addresses that were signed until now are refused. */
  expire(): void;
  close(): Promise<void>;
}

export interface FileServerOptions {
  mostInOneRequest?: number;
  partBytes?: number;
  /** What POST /files answers instead. */
  refuse?: { status: number; body: object };
}

interface Done {
  status: number;
  body?: string | object;
}

interface Held {
  file: FileView;
  by: string;
  whole?: Buffer;
  parts: Map<number, Buffer>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The fields of a form, and the file that comes last. */
function readForm(type: string, body: Buffer): { fields: Record<string, string>; file: Buffer } {
  const boundary = `--${/boundary=(.+)$/.exec(type)?.[1]}`;
  const fields: Record<string, string> = {};
  let [at, file] = [body.indexOf(boundary), Buffer.alloc(0)];
  for (let end = 0; ; at = end) {
    end = body.indexOf(`\r\n${boundary}`, at + 1) + 2;
    if (end < 2) return { fields, file };
    const part = body.subarray(at + boundary.length + 2, end - 2);
    const head = part.indexOf("\r\n\r\n");
    const [, name = ""] = / name="([^"]+)"/.exec(part.subarray(0, head).toString()) ?? [];
    if (name === "file") file = Buffer.from(part.subarray(head + 4));
    else fields[name] = part.subarray(head + 4).toString();
  }
}

export async function startFileServer(options: FileServerOptions = {}): Promise<FileServer> {
  const { mostInOneRequest = 1_000, partBytes = 400, refuse } = options;
  const held = new Map<string, Held>();
  const said: string[] = [];
  const times = new Map<string, number>();
  let [generation, running, most, ids] = [0, 0, 0, 0];

  const problem = (status: number, code: string, more: object = {}) => ({
    status,
    body: { code, detail: code, ...more },
  });
  const address = (id: string, what: string) => `/store/${id}/${what}?signed=${generation}`;
  const lengthOf = ({ file }: Held, part: number) => Math.min(partBytes, file.bytes - (part - 1) * partBytes);

  function begin(body: { by?: string } & FileView): { status: number; body: object } {
    if (refuse) return refuse;
    const id = `FILE${++ids}`;
    const by = body.by ?? (body.bytes > mostInOneRequest ? "parts" : "put");
    const file: FileView = {
      id,
      purpose: body.purpose,
      name: body.name,
      type: body.type,
      bytes: body.bytes,
      visibility: body.visibility ?? "unlisted",
      state: "waiting",
      shop: body.shop ?? null,
      of: body.of ?? null,
      about: body.about ?? null,
      createdAt: new Date().toISOString(),
      storedAt: null,
      path: body.visibility === "private" ? null : `/files/${id}/content`,
    };
    held.set(id, { file, by, parts: new Map() });
    const upload = {
      put: { method: "PUT", url: address(id, "whole"), headers: { "content-type": file.type } },
      form: { method: "POST", url: address(id, "form"), fields: { key: `incoming/${id}` }, fileField: "file" },
      parts: { partBytes, parts: Math.ceil(file.bytes / partBytes) },
    }[by];
    return { status: 201, body: { file, upload } };
  }

  function complete(one: Held): { status: number; body: object } {
    const stored = [...one.parts].map(([part, { length: bytes }]) => ({ part, bytes }));
    const sum = one.whole?.length ?? stored.reduce((all, { bytes }) => all + bytes, 0);
    if (sum !== one.file.bytes) return problem(409, "FILE_NOT_STORED", { stored });
    one.whole ??= Buffer.concat([...one.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    Object.assign(one.file, { state: "stored", storedAt: new Date().toISOString() });
    return { status: 200, body: { file: one.file } };
  }

  function store(
    one: Held,
    what: string,
    signed: string,
    body: Buffer,
    type: string,
  ): { status: number; body?: object } {
    if (Number(signed) !== generation) return { status: 403 };
    if (what === "content") return { status: 200, body: one.whole as Buffer };
    if (what === "form") {
      const { fields, file } = readForm(type, body);
      if (fields.key !== `incoming/${one.file.id}` || file.length !== one.file.bytes) return { status: 400 };
      one.whole = file;
      return { status: 204 };
    }
    if (what === "whole") {
      if (one.whole) return { status: 412 };
      if (body.length !== one.file.bytes || type !== one.file.type) return { status: 400 };
      one.whole = body;
      return { status: 200 };
    }
    if (body.length !== lengthOf(one, Number(what))) return { status: 400 };
    one.parts.set(Number(what), body);
    return { status: 200 };
  }

  function serve(method: string, path: string, body: Buffer, type: string): { status: number; body?: object } {
    const [at, search = ""] = path.split("?");
    const [, root, id = "", what = ""] = (at as string).split("/");
    const json = () => JSON.parse(body.toString());
    if (root === "login")
      return { status: 201, body: { session: { id: "s", token: "t", kind: "guest" }, user: { id: "U" } } };
    if (root === "files" && method === "POST" && !id) return begin(json());
    if (root === "files" && method === "GET" && !id)
      return { status: 200, body: { files: [...held.values()].map(({ file }) => file).reverse(), more: false } };
    const one = held.get(id);
    if (!one) return problem(404, "FILE_UNKNOWN");
    if (root === "store") return store(one, what, search.replace("signed=", ""), body, type);
    if (method === "DELETE") {
      held.delete(id);
      return { status: 204 };
    }
    if (what === "complete") return complete(one);
    if (what === "parts" && one.file.state === "stored") return { status: 200, body: { uploads: [], stored: [] } };
    if (what === "parts") {
      const uploads = (json().parts as number[]).map((part) => ({
        part,
        method: "PUT",
        url: address(id, `${part}`),
        headers: {},
      }));
      return {
        status: 200,
        body: { uploads, stored: [...one.parts].map(([part, { length: bytes }]) => ({ part, bytes })) },
      };
    }
    return { status: 200, body: { file: one.file, address: { url: address(id, "content"), expiresAt: "" } } };
  }

  const lineOf = (method: string, path: string) => {
    const [, root, id, what] = (path.split("?")[0] as string).split("/");
    if (root === "store") return `${method} ${/^\d+$/.test(what ?? "") ? `part ${what}` : what}`;
    return [method, root, what ?? (id && root === "files" ? "one" : undefined)].filter(Boolean).join(" ");
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const what = lineOf(method, path);
    said.push(what);
    const nth = (times.get(what) ?? 0) + 1;
    times.set(what, nth);
    const fault = await server.fault(what, nth);
    if (fault === "silent") return;
    if (fault === "lost") return void request.socket.destroy();
    const body = await bodyOf(request);
    const done: Done =
      typeof fault === "object" ? fault : serve(method, path, body, request.headers["content-type"] ?? "");
    if (fault === "answer lost") return void request.socket.destroy();
    const text =
      typeof done.body === "string" || Buffer.isBuffer(done.body) ? done.body : done.body && JSON.stringify(done.body);
    response
      .writeHead(done.status, {
        "content-type": "application/json",
        ...(text && { "content-length": Buffer.byteLength(text) }),
      })
      .end(text);
  }

  const http = createServer((request, response) => {
    const isStore = request.url?.startsWith("/store/");
    if (isStore) {
      running += 1;
      most = Math.max(most, running);
      response.on("close", () => {
        running -= 1;
      });
    }
    answer(request, response).catch(() => request.socket.destroy());
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const server: FileServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    said,
    mostAtOnce: () => most,
    bytesOf: (id) => held.get(id)?.whole as Buffer,
    get files() {
      return new Map([...held].map(([id, { file }]) => [id, file]));
    },
    fault: () => undefined,
    expire() {
      generation += 1;
    },
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
  return server;
}

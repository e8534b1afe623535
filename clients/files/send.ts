/** Requests that carry a file's bytes, by what the platform has: XMLHttpRequest for its progress, `wx`, fetch. */
import type { Body } from "./source.ts";
import { asked, type WxFiles, wxFiles } from "./wx.ts";

export interface Sending {
  _method: string;
  _url: string;
  _headers: Record<string, string>;
  _body: Body;
  /** A form of `wx.uploadFile` instead of headers and body. */
  _form?: { _path: string; _field: string; _fields: Record<string, string> };
  _timeoutMs: number;
}

export interface Sent {
  status: number;
  body: string;
}

export interface Request {
  _answer: Promise<Sent>;
  _abort(): void;
}

/** Whether the platform tells how much of a body has gone. */
export const tellsProgress = ({ _form }: Pick<Sending, "_form">): boolean => !!_form || (!wxFiles() && hasXhr());

/** Sends it. Rejects when no answer came; any status is an answer. */
export function send(sending: Sending, onSent: (bytes: number) => void): Request {
  const app = wxFiles();
  return app ? byWx(app, sending, onSent) : hasXhr() ? byXhr(sending, onSent) : byFetch(sending);
}

// Types of the browser's API as far as it is used: the rest of this project is compiled without browser types.
interface Xhr {
  upload: { onprogress: (event: { loaded: number }) => void };
  onload: () => void;
  onerror: () => void;
  onabort: () => void;
  readonly status: number;
  readonly responseText: string;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Body): void;
  abort(): void;
}
declare const XMLHttpRequest: (new () => Xhr) | undefined;

const hasXhr = () => typeof XMLHttpRequest === "function";

function byXhr({ _method, _url, _headers, _body }: Sending, onSent: (bytes: number) => void): Request {
  const request = new (XMLHttpRequest as new () => Xhr)();
  const answer = new Promise<Sent>((resolve, reject) => {
    request.open(_method, _url);
    for (const [name, value] of Object.entries(_headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => resolve({ status: request.status, body: request.responseText });
    request.onerror = request.onabort = () => reject(new Error("the request was lost"));
    request.send(_body);
  });
  return { _answer: answer, _abort: () => request.abort() };
}

function byFetch({ _method, _url, _headers, _body }: Sending): Request {
  const abort = new AbortController();
  const load = async () => {
    // A Blob or bytes: both have a length, which a store wants to know.
    const init = { method: _method, headers: _headers, body: _body as Uint8Array<ArrayBuffer>, signal: abort.signal };
    const answer = await fetch(_url, init);
    return { status: answer.status, body: await answer.text() };
  };
  return { _answer: load(), _abort: () => abort.abort() };
}

function byWx(app: WxFiles, sending: Sending, onSent: (bytes: number) => void): Request {
  const { _method, _url, _headers, _body, _form, _timeoutMs } = sending;
  let task: { abort(): void } | undefined;
  const answer = asked<{ statusCode: number; data: unknown }>((back) => {
    if (_form) {
      const { _path, _field, _fields } = _form;
      const upload = { url: _url, filePath: _path, name: _field, formData: _fields, timeout: _timeoutMs, ...back };
      const form = app.uploadFile(upload);
      form.onProgressUpdate(({ totalBytesSent }) => onSent(totalBytesSent));
      task = form;
    } else {
      const bytes = _body as Uint8Array<ArrayBuffer>;
      // wx sends a buffer as a whole, whatever part of it is meant.
      const data = bytes.length < bytes.buffer.byteLength ? bytes.slice().buffer : bytes.buffer;
      const plain = {
        url: _url,
        method: _method,
        header: _headers,
        data,
        dataType: "text",
        timeout: _timeoutMs,
      } as const;
      task = app.request({ ...plain, ...back });
    }
  });
  return {
    _answer: answer.then(({ statusCode, data }) => ({ status: statusCode, body: String(data ?? "") })),
    _abort: () => task?.abort(),
  };
}

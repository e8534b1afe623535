/** The part of the package `ws` that the fake wx uses, over a browser's socket. */

type Hear = (value: never) => void;

declare const window: { WebSocket: new (url: string, protocols: string[]) => BrowserSocket };
interface BrowserSocket {
  readonly readyState: number;
  addEventListener(name: string, hear: (event: { data?: string; code?: number }) => void): void;
  send(text: string): void;
  close(code?: number): void;
}

export class WebSocket {
  static readonly OPEN = 1;
  readonly #socket: BrowserSocket;
  constructor(url: string, protocols: string[]) {
    this.#socket = new window.WebSocket(url, protocols);
  }
  get readyState(): number {
    return this.#socket.readyState;
  }
  on(name: string, hear: Hear): void {
    this.#socket.addEventListener(name, ({ data, code }) => {
      const value = name === "message" ? data : name === "error" ? new Error("the socket failed") : code;
      hear(value as never);
    });
  }
  send(text: string): void {
    this.#socket.send(text);
  }
  close(code: number): void {
    this.#socket.close(code);
  }
  terminate(): void {
    this.#socket.close();
  }
}

/** A house with a storage in memory, and what tests of files ask of it. */
import { sql } from "../../db/sql.ts";
import type { FileStore } from "../../shared/file_store.ts";
import type { Engine } from "../_engines.ts";
import { type Answer, type House, type HouseOptions, openHouse, type Person } from "../_house.ts";
import { type MemoryStore, memoryStore } from "../_memory_store.ts";
import { contents } from "../functions/_contents.ts";

export const png = contents["image/png"];
export const picture = { purpose: "picture", name: "一笔.png", type: "image/png", bytes: png.length };

export interface Files {
  readonly house: House;
  readonly store: MemoryStore;
  /** What the server has of it: its methods may be replaced. */
  readonly broken: Partial<FileStore>;
  place(who: Person, more?: object): Promise<Answer>;
  /** A file that waits, and its bytes are there. */
  sent(who: Person, more?: object, body?: Uint8Array): Promise<{ id: string; path: string }>;
  /** One that is complete. */
  stored(who: Person, more?: object, body?: Uint8Array): Promise<{ id: string; path: string }>;
  complete(who: Person, id: string): Promise<Answer>;
  /** Files and bytes that are counted, of a holder or of all. */
  counted(holder?: string, purpose?: string): Promise<readonly [files: number, bytes: number]>;
  /** Rows: id → state. */
  rows(): Promise<Map<string, string>>;
  close(): Promise<void>;
}

export async function openFiles(engine: Engine, options: HouseOptions = {}): Promise<Files> {
  const store = memoryStore();
  const broken: Partial<FileStore> = {};
  const asked = new Proxy(store, { get: (target, name) => Reflect.get(broken, name) ?? Reflect.get(target, name) });
  const house = await openHouse(engine, { tickMs: 3_600_000, ...options, store: asked });

  const place = (who: Person, more: object = {}) => who.http("POST", "/files", { body: { ...picture, ...more } });
  const complete = (who: Person, id: string) => who.http("POST", `/files/${id}/complete`);

  async function sent(who: Person, more: object = {}, body: Uint8Array = png) {
    const { status, text, body: made } = await place(who, { bytes: body.length, ...more });
    if (status !== 201) throw new Error(text);
    const { id } = made.file;
    if (made.upload.parts === undefined) store.send(made.upload.url, body);
    else {
      const { uploads } = (await who.http("POST", `/files/${id}/parts`, { body: { parts: [1] } })).body;
      store.send(uploads[0].url, body);
    }
    const [[row]] = await house.db.read([sql`SELECT path FROM files WHERE id = ${id}`]);
    return { id: id as string, path: String(row?.path) };
  }

  return {
    house,
    store,
    broken,
    place,
    sent,
    complete,
    async stored(who, more, body) {
      const file = await sent(who, more, body);
      const { status, text } = await complete(who, file.id);
      if (status !== 200) throw new Error(text);
      return file;
    },
    async counted(holder = "all", purpose = "picture") {
      const [[row]] = await house.db.read([
        sql`SELECT files, bytes FROM file_counts WHERE holder = ${holder} AND purpose = ${purpose}`,
      ]);
      return [Number(row?.files ?? 0), Number(row?.bytes ?? 0)];
    },
    async rows() {
      const [rows] = await house.db.read([sql`SELECT id, state FROM files ORDER BY id`]);
      return new Map(rows.map(({ id, state }) => [String(id), String(state)]));
    },
    close: () => house.close(),
  };
}

export const codeOf = ({ status, body }: Answer) => `${status} ${body?.code ?? ""}`.trim();

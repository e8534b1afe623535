/** A model of the vendor's client: applies frames exactly as facts 3.3 to 3.8 say, with its defects. */
import { cloneDeep, set, unset } from "lodash";

export interface WireEvent {
  ID: number;
  DataType: string;
  QueueType: string;
  DocID: string;
  Doc: string;
  UpdatedFields?: string;
  removedFields?: string;
}
export type Doc = Readonly<Record<string, unknown>> & { readonly _id: string };

export class ClientList {
  docs: Doc[] = [];
  /** The last id that was applied. */
  at = 0;
  /** A number was missing: the client asks for its list anew. */
  hasGap = false;

  init(current: number, events: readonly WireEvent[]): void {
    this.docs = [];
    this.at = current - 1;
    if (events.length === 0) this.at = current;
    else this.apply(events.map((event) => ({ ...event, ID: current })));
  }

  apply(events: readonly WireEvent[]): void {
    let docs = [...this.docs];
    let initMet = false;
    for (const [nth, event] of events.entries()) {
      if (event.ID <= this.at) continue;
      if (event.ID !== this.at + 1) {
        this.hasGap = true;
        return;
      }
      const doc = documentOf(event, docs);
      const place = docs.findIndex(({ _id }) => _id === event.DocID);
      if (event.QueueType === "init") {
        docs = initMet ? [...docs, given(doc)] : [given(doc)];
        initMet = true;
      } else if (event.QueueType === "enqueue") docs.push(given(doc));
      else if (place < 0)
        throw new Error(`${event.DataType}/${event.QueueType} of "${event.DocID}", which is not in the list`);
      else if (event.QueueType === "update") docs[place] = given(doc);
      else docs.splice(place, 1);
      if (events[nth + 1]?.ID === event.ID) continue;
      this.at = event.ID;
      this.docs = docs;
    }
  }
}

function given(doc: Doc | undefined): Doc {
  if (doc === undefined) throw new Error("a document is missing");
  return doc;
}

function documentOf(event: WireEvent, docs: readonly Doc[]): Doc | undefined {
  if (event.Doc !== "" && event.Doc !== "{}") return JSON.parse(event.Doc) as Doc;
  const local = docs.find(({ _id }) => _id === event.DocID);
  if (event.DataType === "replace") throw new Error("replace without a document");
  if (event.DataType !== "update" || local === undefined) return local;
  const doc = cloneDeep(local);
  for (const [path, value] of Object.entries(JSON.parse(event.UpdatedFields || "{}") as object)) set(doc, path, value);
  for (const path of JSON.parse(event.removedFields || "[]") as string[]) unset(doc, path);
  return doc;
}

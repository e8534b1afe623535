/** One document as JSON: shown, changed, deleted; or a new one. */
import { useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { toast } from "../shared/toast.tsx";
import { showError } from "./client.ts";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { words } from "./dictionary.ts";
import { contentOf, fieldsOf } from "./document_text.ts";
import { addDocument, findDocument, removeDocument, saveDocument } from "./documents.ts";
import { TextField } from "./fields.tsx";
import { merge } from "./merge.ts";
import type { Fields, StoredDocument } from "./types.ts";

interface Done {
  onDone(): Promise<unknown>;
  onClose(): void;
}

interface DocumentDialogProps extends Done {
  collection: string;
  document: StoredDocument;
  canWrite: boolean;
}

export function DocumentDialog({ collection, document, canWrite, onDone, onClose }: DocumentDialogProps) {
  const [removing, setRemoving] = useState(false);
  const [base, setBase] = useState(document);
  const [disputed, setDisputed] = useState<readonly string[]>();
  const edit = useTextEdit(textOf(contentOf(document)), async (mine) => {
    let [before, fields] = [base, mine];
    while (!(await saveDocument(collection, before, fields))) {
      const theirs = await findDocument(collection, document._id);
      if (theirs === undefined) {
        toast(words.documentGone);
        return;
      }
      // What the owner typed stays, with what somebody else has changed beside it.
      const merged = merge(contentOf(before), fields, contentOf(theirs));
      [before, fields] = [theirs, merged.value];
      if (merged.disputed.length === 0) continue;
      setBase(theirs);
      setDisputed(merged.disputed);
      edit.setText(textOf(merged.value));
      return;
    }
    toast(words.saved);
    await onDone();
    onClose();
  });
  const [leaving, setLeaving] = useState(false);
  const leave = () => (edit.text === textOf(contentOf(base)) ? onClose() : setLeaving(true));
  return (
    <Dialog
      title={document._id}
      closeLabel={words.close}
      onClose={leave}
      footer={
        canWrite && (
          <>
            <button type="button" class="button bad" onClick={() => setRemoving(true)}>
              {words.remove}
            </button>
            <button type="button" class="button primary" disabled={edit.busy} onClick={() => void edit.save()}>
              {edit.busy ? words.saving : words.save}
            </button>
          </>
        )
      }
    >
      <div class="stack document-form">
        {document._openid !== undefined && (
          <p class="soft">
            {words.documentOwner} <span translate={false}>{document._openid}</span>
          </p>
        )}
        {disputed !== undefined && (
          <p class="note warn" role="alert">
            {words.documentChanged(disputed.join(", "))}
          </p>
        )}
        {canWrite ? (
          <JsonField edit={edit} />
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
          <pre translate={false} tabIndex={0}>
            {edit.text}
          </pre>
        )}
      </div>
      {removing && (
        <ConfirmDialog
          title={words.removeDocumentAsk}
          hint={words.removeDocumentHint}
          yes={words.remove}
          onYes={async () => {
            await removeDocument(collection, document._id);
            await onDone();
            onClose();
          }}
          onClose={() => setRemoving(false)}
        />
      )}
      {leaving && (
        <ConfirmDialog
          title={words.unsaved}
          hint={words.unsavedDocumentHint}
          yes={words.discard}
          onYes={async () => onClose()}
          onClose={() => setLeaving(false)}
        />
      )}
    </Dialog>
  );
}

export function NewDocumentDialog({ collection, onDone, onClose }: Done & { collection: string }) {
  const edit = useTextEdit("{\n  \n}", async (fields) => {
    await addDocument(collection, fields);
    toast(words.saved);
    await onDone();
    onClose();
  });
  return (
    <Dialog
      title={words.newDocument}
      closeLabel={words.close}
      onClose={onClose}
      footer={
        <button type="button" class="button primary" disabled={edit.busy} onClick={() => void edit.save()}>
          {edit.busy ? words.saving : words.save}
        </button>
      }
    >
      <div class="stack document-form">
        <JsonField edit={edit} />
      </div>
    </Dialog>
  );
}

const textOf = (fields: Fields) => JSON.stringify(fields, null, 2);

interface TextEdit {
  text: string;
  setText(text: string): void;
  /** Saving was tried, and the text is no JSON object. */
  wrong: boolean;
  busy: boolean;
  save(): Promise<void>;
}

function useTextEdit(begin: string, store: (fields: Fields) => Promise<void>): TextEdit {
  const [text, setText] = useState(begin);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const fields = fieldsOf(text);
  const save = async () => {
    setTried(true);
    if (fields === undefined) return;
    setBusy(true);
    try {
      await store(fields);
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  };
  return { text, setText, wrong: tried && fields === undefined, busy, save };
}

const JsonField = ({ edit }: { edit: TextEdit }) => (
  <TextField
    label={words.documentFields}
    hint={words.documentFieldsHint}
    error={edit.wrong ? words.noJson : undefined}
    rows={16}
    value={edit.text}
    onInput={edit.setText}
  />
);

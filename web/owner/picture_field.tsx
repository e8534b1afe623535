/** The field for a dish's picture: choose, replace, remove. */
import { useEffect, useRef, useState } from "preact/hooks";
import { words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { Picture } from "./picture.tsx";
import { pictureTypes, uploadFault, uploadPicture } from "./upload.ts";
import { type Sending, UploadBar } from "./upload_bar.tsx";

interface PictureFieldProps {
  shop: string;
  picture: string | undefined;
  name: string;
  onChange(picture: string | undefined): void;
}

export function PictureField({ shop, picture, name, onChange }: PictureFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const abort = useRef<AbortController | null>(null);
  const [sending, setSending] = useState<Sending>();
  const [wrong, setWrong] = useState<string>();
  // The dialog was closed: nobody waits for the picture.
  useEffect(() => () => abort.current?.abort(), []);

  async function take(file: File): Promise<void> {
    const mine = new AbortController();
    abort.current = mine;
    setWrong(undefined);
    setSending({ name: file.name, sent: 0, total: file.size, waiting: false });
    try {
      const path = await uploadPicture(shop, file, {
        signal: mine.signal,
        onProgress: (sent, total) => setSending({ name: file.name, sent, total, waiting: false }),
        onRetry: () => setSending((now) => now && { ...now, waiting: true }),
      });
      onChange(path);
    } catch (error) {
      setWrong(uploadFault(error, words.pictureWrong));
    }
    setSending(undefined);
  }

  return (
    <div class="picture-field">
      <Picture of={picture} name={name} />
      <div>
        {sending !== undefined ? (
          <UploadBar
            sending={sending}
            onCancel={() => {
              abort.current?.abort();
              // The pressed button goes away.
              setTimeout(() => button.current?.focus());
            }}
          />
        ) : (
          <>
            <div class="row">
              <button ref={button} type="button" class="button soft" onClick={() => input.current?.click()}>
                {picture === undefined ? words.choosePicture : words.changePicture}
              </button>
              {picture !== undefined && (
                <button
                  type="button"
                  class="button plain round"
                  aria-label={words.removePicture}
                  onClick={() => onChange(undefined)}
                >
                  <Icon name="bin" size={20} />
                </button>
              )}
            </div>
            <p class="hint" role="status">
              {wrong === undefined ? words.pictureHint : <span class="fault">{wrong}</span>}
            </p>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          aria-label={words.picture}
          accept={pictureTypes.join()}
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) void take(file);
            // Cleared, so that choosing the same file again is an event too.
            currentTarget.value = "";
          }}
        />
      </div>
    </div>
  );
}

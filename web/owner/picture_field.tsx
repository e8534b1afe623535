/** The field for a dish's picture: choose, replace, remove. */
import { useRef, useState } from "preact/hooks";
import { showError } from "./client.ts";
import { words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { Picture } from "./picture.tsx";
import { PictureError, uploadPicture } from "./upload.ts";

interface PictureFieldProps {
  shop: string;
  picture: string | undefined;
  name: string;
  onChange(picture: string | undefined): void;
}

export function PictureField({ shop, picture, name, onChange }: PictureFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();

  async function take(file: File): Promise<void> {
    setBusy(true);
    setWrong(undefined);
    try {
      onChange(await uploadPicture(shop, file));
    } catch (error) {
      if (error instanceof PictureError) setWrong(error.message);
      else showError(error);
    }
    setBusy(false);
  }

  return (
    <div class="picture-field">
      <Picture of={picture} name={name} />
      <div>
        <div class="row">
          <button type="button" class="button soft" disabled={busy} onClick={() => input.current?.click()}>
            {busy ? words.uploading : picture === undefined ? words.choosePicture : words.changePicture}
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
        <input
          ref={input}
          type="file"
          hidden
          aria-label={words.picture}
          accept="image/jpeg,image/png,image/webp"
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

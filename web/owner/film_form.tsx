/** The form for a new film: the file, its title, and a poster out of the film or chosen. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { lengthText, words } from "./dictionary.ts";
import { Card, TextField } from "./fields.tsx";
import { cancelFilm, forgetFault, type NewFilm, uploadFilm, useFilmUpload } from "./film_upload.ts";
import { readFilm } from "./read_film.ts";
import { fitting, pictureTypes, uploadFault } from "./upload.ts";
import { UploadBar } from "./upload_bar.tsx";

/** `about` holds 1 KB in all. */
const maxTitle = 100;

export function FilmForm({ shop, onStored }: { shop: string; onStored(): void }) {
  const { sending, fault } = useFilmUpload();
  const [film, setFilm] = useState<NewFilm>();
  const [reading, setReading] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const chooser = useRef<HTMLButtonElement>(null);

  async function choose(file: File): Promise<void> {
    forgetFault();
    setWrong(undefined);
    setReading(true);
    const { seconds, poster } = await readFilm(file);
    setReading(false);
    setFilm({ file, title: file.name.replace(/\.\w+$/, "").slice(0, maxTitle), seconds, poster });
  }

  async function send(chosen: NewFilm): Promise<void> {
    if (!(await uploadFilm(shop, chosen))) return;
    setFilm(undefined);
    onStored();
  }

  const said = wrong ?? fault;
  const chooseButton = (
    <FileButton
      button={chooser}
      label={film === undefined ? words.chooseFilm : words.otherFilm}
      accept="video/mp4,video/webm"
      busy={reading}
      onChoose={(file) => void choose(file)}
    />
  );
  return (
    <Card title={words.newFilm}>
      {sending !== undefined ? (
        <UploadBar
          sending={sending}
          onCancel={() => {
            cancelFilm();
            setTimeout(() => chooser.current?.focus());
          }}
        />
      ) : (
        <div class="stack">
          {film === undefined ? (
            <div class="row">{chooseButton}</div>
          ) : (
            <FilmFields film={film} onChange={setFilm} onFault={setWrong} onSend={() => void send(film)}>
              {chooseButton}
            </FilmFields>
          )}
          <p class="hint" role="status">
            {said === undefined ? words.filmHint : <span class="fault">{said}</span>}
          </p>
        </div>
      )}
    </Card>
  );
}

interface FilmFieldsProps {
  film: NewFilm;
  onChange(film: NewFilm): void;
  onFault(fault: string | undefined): void;
  onSend(): void;
  /** The button beside that which sends. */
  children: ComponentChildren;
}

function FilmFields({ film, onChange, onFault, onSend, children }: FilmFieldsProps) {
  const { title, seconds, poster } = film;
  const isNamed = title.trim() !== "" && title.length <= maxTitle;
  const choosePoster = async (file: File) => {
    try {
      onChange({ ...film, poster: await fitting(file) });
      onFault(undefined);
    } catch (error) {
      onFault(uploadFault(error, words.pictureWrong));
    }
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (isNamed) onSend();
      }}
    >
      <TextField
        label={words.filmTitle}
        value={title}
        max={maxTitle}
        error={title.trim() === "" ? words.required : undefined}
        onInput={(text) => onChange({ ...film, title: text })}
      />
      <div class="picture-field">
        <PosterPreview poster={poster} />
        <div>
          <FileButton
            label={words.choosePoster}
            accept={pictureTypes.join()}
            onChoose={(file) => void choosePoster(file)}
          />
          <p class="hint">{seconds === undefined ? words.filmUnreadable : words.filmLength(lengthText(seconds))}</p>
        </div>
      </div>
      <div class="row">
        <button type="submit" class="button primary" disabled={!isNamed}>
          {words.uploadFilm}
        </button>
        {children}
      </div>
    </form>
  );
}

function PosterPreview({ poster }: { poster: Blob | undefined }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = poster && URL.createObjectURL(poster);
    setUrl(made);
    return () => made && URL.revokeObjectURL(made);
  }, [poster]);
  return <span class="picture poster">{url !== undefined && <img src={url} alt={words.poster} />}</span>;
}

interface FileButtonProps {
  label: string;
  accept: string;
  busy?: boolean;
  button?: { current: HTMLButtonElement | null };
  onChoose(file: File): void;
}

function FileButton({ label, accept, busy = false, button, onChoose }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        ref={button ?? null}
        type="button"
        class="button soft"
        disabled={busy}
        onClick={() => input.current?.click()}
      >
        {busy ? words.filmReading : label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        accept={accept}
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file !== undefined) onChoose(file);
          currentTarget.value = "";
        }}
      />
    </>
  );
}

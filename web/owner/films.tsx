/** The shop's films: a list with poster, title and length, and the upload of a new one. */
import { useState } from "preact/hooks";
import { type FileView, files } from "../../clients/files.ts";
import { toast } from "../shared/toast.tsx";
import { client } from "./client.ts";
import { ConfirmDialog } from "./confirm_dialog.tsx";
import { bytesOf, lengthText, words } from "./dictionary.ts";
import { FilmForm } from "./film_form.tsx";
import { posterName, useFilmEnd } from "./film_upload.ts";
import { Icon } from "./icons.tsx";
import { Failed, Waiting } from "./states.tsx";
import { useQuery } from "./use_query.ts";

/** All films of the shop, page by page. */
async function allFilms(shop: string): Promise<FileView[]> {
  const films: FileView[] = [];
  for (let more = true; more; ) {
    const before = films[films.length - 1]?.id;
    const page = await files(client).list({ purpose: "film", shop, limit: 100, ...(before && { before }) });
    films.push(...page.files);
    more = page.more;
  }
  return films;
}

const titleOf = ({ about, name }: FileView): string => String(about?.title ?? name);

export function Films({ id }: { id: string }) {
  const { value: films, failed, reload } = useQuery(id, () => allFilms(id));
  const [removing, setRemoving] = useState<FileView>();
  // Not told by the form: an owner who looked at the menu meanwhile has another list now than the one that began the upload.
  useFilmEnd(reload);
  if (films === undefined)
    return failed === undefined ? <Waiting /> : <Failed error={failed} onRetry={() => void reload()} />;
  return (
    <div class="stack">
      <p class="soft">{words.filmsHint}</p>
      <FilmForm shop={id} onStored={() => toast(words.filmStored)} />
      {films.length === 0 ? (
        <div class="card empty">
          <Icon name="films" size={40} />
          <p class="big">{words.noFilms}</p>
        </div>
      ) : (
        <section class="card flush" aria-label={words.sections.films}>
          <ul class="dishes">
            {films.map((film) => (
              <FilmRow key={film.id} film={film} onRemove={() => setRemoving(film)} />
            ))}
          </ul>
        </section>
      )}
      {removing !== undefined && (
        <ConfirmDialog
          title={words.removeFilmAsk(titleOf(removing))}
          hint={words.removeFilmHint}
          yes={words.remove}
          onYes={async () => {
            await files(client).remove(removing.id);
            await reload();
          }}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </div>
  );
}

function FilmRow({ film, onRemove }: { film: FileView; onRemove(): void }) {
  const { about, bytes, state } = film;
  const title = titleOf(film);
  const [away, setAway] = useState(false);
  const poster = about?.poster === posterName && !away ? files(client).addressOf(film, posterName) : undefined;
  return (
    <li class="film" data-slot>
      <span class="picture poster">
        {poster === undefined ? (
          <Icon name="films" />
        ) : (
          <img src={poster} alt="" loading="lazy" onError={() => setAway(true)} />
        )}
      </span>
      <span class="what">
        {state === "stored" ? (
          <a
            href={files(client).addressOf(film) ?? ""}
            target="_blank"
            rel="noreferrer"
            aria-label={words.playFilm(title)}
          >
            {title}
          </a>
        ) : (
          <b>{title}</b>
        )}
        <small>
          {typeof about?.seconds === "number" && `${lengthText(about.seconds)} · `}
          {bytesOf(bytes)}
        </small>
        {state === "waiting" && (
          <span class="marks">
            <span class="mark bad">{words.filmWaiting}</span>
          </span>
        )}
      </span>
      <button type="button" class="button plain round" aria-label={words.removeFilm(title)} onClick={onRemove}>
        <Icon name="bin" size={20} />
      </button>
    </li>
  );
}

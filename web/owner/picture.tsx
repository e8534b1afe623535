/** A dish's picture. */
import { useState } from "preact/hooks";

/** The picture, or the name's first letter on a plain background. */
export function Picture({ of, name }: { of: string | undefined; name: string }) {
  const [away, setAway] = useState<string>();
  return (
    <span class="picture">
      <span aria-hidden="true">{[...name][0]}</span>
      {of !== undefined && away !== of && (
        <img src={new URL(of, `${location.origin}/`).href} alt="" loading="lazy" onError={() => setAway(of)} />
      )}
    </span>
  );
}

/** A dish's picture, loaded when it is about to be visible; without one, or until it is loaded, the first letter on a plain background. */
import { useState } from "preact/hooks";

export function Picture({ of, name, size }: { of: string | undefined; name: string; size: number }) {
  const [away, setAway] = useState(false);
  return (
    <span class="picture">
      <span aria-hidden="true">{[...name][0]}</span>
      {of !== undefined && !away && (
        <img
          src={new URL(of, `${location.origin}/`).href}
          alt=""
          width={size}
          height={size}
          loading="lazy"
          decoding="async"
          onError={() => setAway(true)}
        />
      )}
    </span>
  );
}

// The image of the capture that is reviewed. Until it is on the screen nothing of another capture is.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { ApiError } from "../api.ts";
import type { ImageCache } from "./image-cache.ts";

interface ReviewImageProps {
  readonly id: string;
  readonly images: ImageCache;
  readonly alt: string;
  /** The browser has drawn it. */
  readonly onShown: (id: string) => void;
}

type Loaded = { readonly id: string } & ({ readonly url: string } | { readonly failure: string });

export function ReviewImage({ id, images, alt, onShown }: ReviewImageProps): JSX.Element {
  const [loaded, setLoaded] = useState<Loaded | undefined>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    setLoaded(undefined);
    images.get(id).then(
      (url) => !gone && setLoaded({ id, url }),
      (error: unknown) => !gone && setLoaded({ id, failure: sentenceOf(error) }),
    );
    return () => {
      gone = true;
    };
  }, [id, images, attempt]);
  // What was loaded for the capture before is not shown, not even until this effect has run.
  if (loaded?.id !== id)
    return (
      <p class="review-wait" role="status">
        Loading the image…
      </p>
    );
  if ("failure" in loaded)
    return (
      <div class="review-wait" role="alert">
        <p>The image could not be loaded. {loaded.failure}</p>
        <button type="button" onClick={() => setAttempt(attempt + 1)}>
          Try again
        </button>
      </div>
    );
  return (
    <img
      key={id}
      src={loaded.url}
      alt={alt}
      draggable={false}
      onLoad={() => onShown(id)}
      onError={() => setLoaded({ id, failure: "It is not a JPEG that this browser can read." })}
    />
  );
}

function sentenceOf(error: unknown): string {
  return error instanceof ApiError ? `${error.message} ${error.hint}`.trim() : "";
}

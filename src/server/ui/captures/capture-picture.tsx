// The JPEG of a capture in a list. Fetched, not linked: an <img> cannot send the token.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";

interface CapturePictureProps {
  readonly id: string;
  readonly width?: number;
  readonly alt: string;
  readonly load: (id: string, width?: number) => Promise<Blob>;
}

export function CapturePicture({ id, width, alt, load }: CapturePictureProps): JSX.Element {
  const [shown, setShown] = useState<{ readonly id?: string; readonly url?: string; readonly failed?: boolean }>({});
  useEffect(() => {
    let url: string | undefined;
    let gone = false;
    load(id, width).then(
      (blob) => {
        if (gone) return;
        url = URL.createObjectURL(blob);
        setShown({ id, url });
      },
      () => !gone && setShown({ id, failed: true }),
    );
    return () => {
      gone = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [id, width, load]);
  // What was loaded for another capture is not shown for this one.
  const own = shown.id === id ? shown : {};
  if (own.failed) return <span class="capture-missing">The image could not be loaded.</span>;
  return own.url === undefined ? <span class="capture-missing" /> : <img src={own.url} alt={alt} draggable={false} />;
}

// The JPEG of a capture. Fetched, not linked: an <img> cannot send the token.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";

interface CapturePictureProps {
  readonly id: string;
  readonly width?: number;
  readonly alt: string;
  readonly load: (id: string, width?: number) => Promise<Blob>;
}

export function CapturePicture({ id, width, alt, load }: CapturePictureProps): JSX.Element {
  const [shown, setShown] = useState<{ readonly url?: string; readonly failed?: boolean }>({});
  useEffect(() => {
    let url: string | undefined;
    let gone = false;
    load(id, width).then(
      (blob) => {
        if (gone) return;
        url = URL.createObjectURL(blob);
        setShown({ url });
      },
      () => !gone && setShown({ failed: true }),
    );
    return () => {
      gone = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [id, width, load]);
  if (shown.failed) return <span class="capture-missing">The picture could not be loaded.</span>;
  return shown.url === undefined ? (
    <span class="capture-missing" />
  ) : (
    <img src={shown.url} alt={alt} draggable={false} />
  );
}

// What stands where the tiles would be while there is no stream.
import type { JSX } from "preact";

/** Without `onAdd` nobody here may add one. */
export function EmptyState({ onAdd }: { readonly onAdd: (() => void) | undefined }): JSX.Element {
  if (!onAdd) {
    return (
      <section class="card" aria-labelledby="empty-title">
        <h1 id="empty-title">No streams yet</h1>
        <p>This page's token allows to look only; streams are added with one of the scope write.</p>
      </section>
    );
  }
  return (
    <section class="card" aria-labelledby="empty-title">
      <h1 id="empty-title">No streams yet</h1>
      <p>
        Add a camera by its RTSP address, as its manual or its app shows it; most look like{" "}
        <code>rtsp://user:password@192.168.1.20:554/stream1</code>. HTTP addresses of videos work too.
      </p>
      <p>Or start the server with streams; video files, too, are best given there:</p>
      <pre>
        <code>npm start -- --stream yard=rtsp://192.168.1.20/stream1{"\n"}npm start -- --stream clip=clip.mp4</code>
      </pre>
      <div class="card-actions">
        <button type="button" class="primary" onClick={onAdd}>
          Add stream
        </button>
      </div>
    </section>
  );
}

// Asks before a stream is removed.
import type { JSX } from "preact";
import { Dialog } from "./dialog.tsx";
import type { PageLive } from "./page-live.ts";
import { useRequest } from "./request.ts";

interface RemoveStreamProps {
  readonly live: PageLive;
  readonly stream: string;
  readonly onClose: () => void;
}

export function RemoveStream({ live, stream, onClose }: RemoveStreamProps): JSX.Element {
  const { busy, problem, run } = useRequest();
  return (
    <Dialog title={`Remove ${stream}?`} onClose={onClose}>
      <p>The server stops reading it, for everyone who watches. It can be added again.</p>
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="card-actions">
        <button type="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => run(() => live.remove(stream), onClose)}>
          {busy ? "Removing…" : "Remove"}
        </button>
      </div>
    </Dialog>
  );
}

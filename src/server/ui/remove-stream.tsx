// Asks before a stream is removed.
import type { JSX } from "preact";
import { Confirm } from "./confirm.tsx";
import type { PageLive } from "./page-live.ts";

interface RemoveStreamProps {
  readonly live: PageLive;
  readonly stream: string;
  readonly onClose: () => void;
}

export function RemoveStream({ live, stream, onClose }: RemoveStreamProps): JSX.Element {
  const words = { title: `Remove ${stream}?`, action: "Remove", doing: "Removing…", keep: "Keep" };
  return (
    <Confirm {...words} danger run={() => live.remove(stream)} onClose={onClose}>
      <p>The server stops reading it, for everyone who watches. It can be added again.</p>
    </Confirm>
  );
}

// Keeps the newest frame of a stream, to be reviewed and learned from.
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { useRequest } from "../request.ts";

interface CaptureButtonProps {
  readonly stream: string;
  readonly onCapture: (stream: string) => Promise<void>;
}

/** How long the button says that it was done. */
const SAID_MS = 2000;

export function CaptureButton({ stream, onCapture }: CaptureButtonProps): JSX.Element {
  const { busy, problem, run } = useRequest();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button"
      class={problem ? "quiet problem" : "quiet"}
      aria-label={`Capture ${stream}`}
      title={problem || "Keep this frame, to be reviewed and learned from"}
      disabled={busy}
      onClick={() =>
        run(
          () => onCapture(stream),
          () => setDone(true),
        )
      }
    >
      {problem ? "Not captured" : done ? "Captured" : "Capture"}
    </button>
  );
}

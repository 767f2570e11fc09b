// The form that adds a stream; what the server thinks of it is said in the server's own words.
import { useId, useState } from "preact/hooks";
import type { JSX, TargetedSubmitEvent } from "preact";
import { Dialog } from "./dialog.tsx";
import type { PageLive } from "./page-live.ts";
import { kindOf, newStreamOf } from "./new-stream.ts";
import { useRequest } from "./request.ts";

interface AddStreamProps {
  readonly live: PageLive;
  readonly onClose: () => void;
}

export function AddStream({ live, onClose }: AddStreamProps): JSX.Element {
  const id = useId();
  const [url, setUrl] = useState("");
  const { busy, problem, run } = useRequest();
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const stream = newStreamOf(new FormData(event.currentTarget));
    run(() => live.add(stream), onClose);
  };
  return (
    <Dialog title="Add stream" onClose={onClose}>
      <form onSubmit={submit} autocomplete="off">
        <label class="field" for={`${id}-id`}>
          Name
          <input
            id={`${id}-id`}
            name="id"
            required
            maxLength={64}
            placeholder="yard"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-id-help`}
          />
        </label>
        <p class="help" id={`${id}-id-help`}>
          Letters, digits, - and _.
        </p>
        <label class="field" for={`${id}-url`}>
          Address
          <input
            id={`${id}-url`}
            name="url"
            required
            maxLength={2048}
            placeholder="rtsp://user:password@192.168.1.20/stream1"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby={`${id}-url-help`}
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        </label>
        <p class="help" id={`${id}-url-help`}>
          rtsp://, rtsps://, http://, https://, or the path of a video file on the server.
        </p>
        {kindOf(url) === "rtsp" && (
          <fieldset class="options">
            <legend>Transport</legend>
            <label>
              <input type="radio" name="transport" value="tcp" defaultChecked /> TCP, loses nothing
            </label>
            <label>
              <input type="radio" name="transport" value="udp" /> UDP, if the camera wants it
            </label>
          </fieldset>
        )}
        {kindOf(url) === "file" && (
          <div class="options">
            <label>
              <input type="checkbox" name="loop" defaultChecked /> Play in real time, over and over
            </label>
          </div>
        )}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="card-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {busy ? "Adding…" : "Add stream"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

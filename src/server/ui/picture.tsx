// The canvas of one stream: drawn by the player before the next repaint, never by the component tree.
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { passing, type Filter } from "./filter.ts";
import type { PageLive } from "./page-live.ts";
import type { Size } from "../../annotate/drawing/layout.ts";
import { paint } from "./paint.ts";
import type { StreamView } from "./streams.ts";

interface PictureProps {
  readonly live: PageLive;
  readonly stream: StreamView;
  readonly filter: Filter;
  readonly description: string;
  readonly onClick: () => void;
}

export function Picture({ live, stream, filter, description, onClick }: PictureProps): JSX.Element {
  const { id, state } = stream;
  const canvas = useRef<HTMLCanvasElement>(null);
  const latestFilter = useRef(filter);
  latestFilter.current = filter;
  const player = live.player(id);
  const [blank, setBlank] = useState(player.shown === undefined);

  useEffect(() => {
    const element = canvas.current!;
    let space: Size = { width: 0, height: 0 };
    player.target = ({ bitmap, detections }) => {
      paint(element, space, bitmap, detections, passing(detections.detections, latestFilter.current));
      setBlank(false);
    };
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      space = { width, height };
      live.setWidth(id, Math.round(width * (globalThis.devicePixelRatio || 1)));
      player.refresh();
    });
    observer.observe(element.parentElement!);
    return () => {
      observer.disconnect();
      player.target = undefined;
      live.setWidth(id, undefined);
    };
  }, [live, id, player]);

  return (
    <div class={state === "live" ? "picture" : "picture picture-old"} onClick={onClick}>
      <canvas ref={canvas} role="img" aria-label={description} />
      {blank && <p class="picture-wait">{WAITING[state]}</p>}
    </div>
  );
}

const WAITING: Record<StreamView["state"], string> = {
  connecting: "Connecting…",
  live: "Waiting for the first picture…",
  stalled: "Connected, but no picture comes.",
  retrying: "Trying again…",
  misconfigured: "It cannot work as it is set up.",
  ended: "Ended.",
  paused: "Paused.",
};

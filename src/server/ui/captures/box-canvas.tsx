// The boxes over a capture's image: an SVG in pixels of the image, so that what is drawn is what is saved.
import { useRef, useState } from "preact/hooks";
import type { JSX, TargetedPointerEvent } from "preact";
import type { CaptureInfo } from "../../captures/capture-schemas.ts";
import { labelColours, TAG_TEXT } from "../../../annotate/drawing/label-colours.ts";
import { add, place, select, type Draft, type DraftObject } from "./draft.ts";
import { boxBetween, boxUnder, dragged, type EditBox, type Handle, handleAt, type Point } from "./geometry.ts";
import type { Review } from "./review.ts";

interface BoxCanvasProps {
  readonly review: Review;
  readonly capture: Pick<CaptureInfo, "width" | "height">;
  readonly draft: Draft;
  /** Of a box that is drawn. */
  readonly label: string;
  /** Whether each drag draws, inside of the selected box as well. */
  readonly drawing: boolean;
  /** What somebody else has saved, to be compared with. */
  readonly theirs?: readonly DraftObject[] | undefined;
}

interface Drag {
  readonly from: Point;
  readonly to: Point;
  readonly held: { readonly index: number; readonly handle: Handle } | undefined;
}

/** Of the hand, in pixels of the screen. */
const REACH = 7;
/** A pointer that has moved less has clicked, in pixels of the screen. */
const CLICK = 4;
const CURSORS: Readonly<Record<Handle, string>> = {
  n: "ns-resize",
  s: "ns-resize",
  w: "ew-resize",
  e: "ew-resize",
  nw: "nwse-resize",
  se: "nwse-resize",
  ne: "nesw-resize",
  sw: "nesw-resize",
  body: "move",
};

/**
 * Only the selected box can be dragged, by its sides, corners or body: a drag that begins anywhere else, inside of other boxes too, draws.
 * A click selects the smallest box under it.
 */
export function BoxCanvas({ review, capture, draft, label, drawing, theirs }: BoxCanvasProps): JSX.Element {
  const svg = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<Drag | undefined>();
  const [cursor, setCursor] = useState("crosshair");
  const scale = capture.width / (svg.current?.clientWidth || capture.width);

  const pointOf = (event: TargetedPointerEvent<SVGSVGElement>): Point => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return [((event.clientX - left) * capture.width) / width, ((event.clientY - top) * capture.height) / height];
  };
  const heldAt = (point: Point, draws: boolean): Drag["held"] => {
    const index = draft.selected;
    const object = index === undefined || draws ? undefined : draft.objects[index];
    const handle = object && handleAt(object.bbox, point, REACH * scale);
    return handle && { index: index!, handle };
  };
  const boxOf = (index: number): EditBox => {
    const { bbox } = draft.objects[index]!;
    if (drag?.held?.index !== index) return bbox;
    return dragged(bbox, drag.held.handle, [drag.to[0] - drag.from[0], drag.to[1] - drag.from[1]], capture);
  };
  const onDown = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = pointOf(event);
    setDrag({ from, to: from, held: heldAt(from, drawing || event.shiftKey) });
  };
  const onMove = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    const to = pointOf(event);
    if (drag) setDrag({ ...drag, to });
    else setCursor(cursorAt(heldAt(to, drawing || event.shiftKey)));
  };
  const onUp = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    if (!drag) return;
    const to = pointOf(event);
    const { held, from } = drag;
    const by: Point = [to[0] - from[0], to[1] - from[1]];
    const object = held && draft.objects[held.index];
    if (Math.hypot(...by) < CLICK * scale) {
      const boxes = draft.objects.map(({ bbox }) => bbox);
      review.edit((now) => select(now, boxUnder(boxes, from, REACH * scale)));
    } else if (held) {
      if (object) review.edit((now) => place(now, held.index, dragged(object.bbox, held.handle, by, capture)));
    } else {
      const bbox = boxBetween(from, to, capture);
      if (bbox) review.edit((now) => add(now, { bbox, label }));
    }
    setDrag(undefined);
  };
  const drawn = drag && !drag.held ? boxBetween(drag.from, drag.to, capture) : undefined;
  return (
    <svg
      ref={svg}
      class="box-canvas"
      viewBox={`0 0 ${capture.width} ${capture.height}`}
      style={{ cursor }}
      role="application"
      aria-label="Boxes of this image"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => setDrag(undefined)}
    >
      {draft.objects.map((object, index) => (
        <Box key={index} box={boxOf(index)} label={object.label} selected={draft.selected === index} scale={scale} />
      ))}
      {theirs?.map(({ bbox, label: other }, index) => (
        <Box key={`theirs ${index}`} box={bbox} label={other} selected={false} scale={scale} dashed />
      ))}
      {drawn && <Box box={drawn} label={label} selected scale={scale} />}
    </svg>
  );
}

function cursorAt(held: Drag["held"]): string {
  return held ? CURSORS[held.handle] : "crosshair";
}

interface BoxProps {
  readonly box: EditBox;
  readonly label: string;
  readonly selected: boolean;
  /** Pixels of the image for one of the screen. */
  readonly scale: number;
  readonly dashed?: boolean;
}

function Box({ box: [x, y, width, height], label, selected, scale, dashed = false }: BoxProps): JSX.Element {
  const { fill } = labelColours(label);
  const text = dashed ? `${label} (theirs)` : label;
  const font = 12 * scale;
  const tag = { width: (text.length * 0.62 + 0.8) * font, height: font * 1.4 };
  const top = y >= tag.height ? y - tag.height : y;
  return (
    <g class={selected ? "box box-selected" : "box"}>
      <rect
        x={x}
        y={y}
        width={width}
        height={height}
        fill={fill}
        fill-opacity={selected ? 0.18 : 0}
        stroke={fill}
        stroke-width={(selected ? 3 : 2) * scale}
        stroke-dasharray={dashed ? `${8 * scale} ${5 * scale}` : undefined}
      />
      <rect x={x} y={top} width={tag.width} height={tag.height} fill={fill} />
      <text x={x + 0.4 * font} y={top + font * 1.05} font-size={font} fill={TAG_TEXT}>
        {text}
      </text>
      {selected &&
        [0, 0.5, 1].flatMap((row) =>
          [0, 0.5, 1]
            .filter((column) => row !== 0.5 || column !== 0.5)
            .map((column) => (
              <rect
                key={`${row} ${column}`}
                x={x + width * column - 4 * scale}
                y={y + height * row - 4 * scale}
                width={8 * scale}
                height={8 * scale}
                fill="#fff"
                stroke={fill}
                stroke-width={scale}
              />
            )),
        )}
    </g>
  );
}

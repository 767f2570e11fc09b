// The boxes over a capture's picture: an SVG in pixels of the picture, so that what is drawn is what is saved.
import { useRef, useState } from "preact/hooks";
import type { JSX, TargetedPointerEvent } from "preact";
import type { CaptureInfo } from "../../captures/capture-schemas.ts";
import { labelColours, TAG_TEXT } from "../../../annotate/drawing/label-colours.ts";
import { add, place, select, type Draft } from "./draft.ts";
import { boxBetween, dragged, hit, type EditBox, type Handle, type Point } from "./geometry.ts";
import type { Review } from "./review.ts";

interface BoxCanvasProps {
  readonly review: Review;
  readonly capture: Pick<CaptureInfo, "width" | "height">;
  readonly draft: Draft;
  /** Of a box that is drawn. */
  readonly label: string;
}

interface Drag {
  readonly from: Point;
  readonly to: Point;
  readonly held: { readonly index: number; readonly handle: Handle } | undefined;
}

/** Of the hand, in pixels of the screen. */
const REACH = 7;
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

export function BoxCanvas({ review, capture, draft, label }: BoxCanvasProps): JSX.Element {
  const svg = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<Drag | undefined>();
  const [cursor, setCursor] = useState("crosshair");
  const scale = capture.width / (svg.current?.clientWidth || capture.width);

  const pointOf = (event: TargetedPointerEvent<SVGSVGElement>): Point => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    return [((event.clientX - left) * capture.width) / width, ((event.clientY - top) * capture.height) / height];
  };
  const heldAt = (point: Point): Drag["held"] => {
    const boxes = draft.objects.map(({ bbox }) => bbox);
    return hit(boxes, draft.selected, point, REACH * scale);
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
    const held = heldAt(from);
    setDrag({ from, to: from, held });
    review.edit((now) => select(now, held?.index));
  };
  const onMove = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    const to = pointOf(event);
    if (drag) setDrag({ ...drag, to });
    else setCursor(cursorAt(heldAt(to)));
  };
  const onUp = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    if (!drag) return;
    const to = pointOf(event);
    const { held, from } = drag;
    if (held) {
      const bbox = dragged(draft.objects[held.index]!.bbox, held.handle, [to[0] - from[0], to[1] - from[1]], capture);
      review.edit((now) => place(now, held.index, bbox));
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
      aria-label="Boxes of this picture"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={() => setDrag(undefined)}
    >
      {draft.objects.map((object, index) => (
        <Box key={index} box={boxOf(index)} label={object.label} selected={draft.selected === index} scale={scale} />
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
  /** Pixels of the picture for one of the screen. */
  readonly scale: number;
}

function Box({ box: [x, y, width, height], label, selected, scale }: BoxProps): JSX.Element {
  const { fill } = labelColours(label);
  const font = 12 * scale;
  const tag = { width: (label.length * 0.62 + 0.8) * font, height: font * 1.4 };
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
      />
      <rect x={x} y={top} width={tag.width} height={tag.height} fill={fill} />
      <text x={x + 0.4 * font} y={top + font * 1.05} font-size={font} fill={TAG_TEXT}>
        {label}
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

// The detections of the shown picture as a table, beside the picture at full size.
import type { JSX } from "preact";
import { Swatch } from "./swatch.tsx";
import type { Detections } from "../protocol.ts";

export function Findings({ found }: { readonly found: Detections["detections"] }): JSX.Element {
  const sorted = [...found].sort((a, b) => b.score - a.score);
  return (
    <div class="findings">
      <table>
        <caption>In this picture</caption>
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">Score</th>
            <th scope="col">x, y</th>
            <th scope="col">Size</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ label, score, bbox: [x, y, width, height] }, index) => (
            <tr key={index}>
              <td>
                <Swatch label={label} />
                {label}
              </td>
              <td>{score.toFixed(2)}</td>
              <td>
                {Math.round(x)}, {Math.round(y)}
              </td>
              <td>
                {Math.round(width)}×{Math.round(height)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

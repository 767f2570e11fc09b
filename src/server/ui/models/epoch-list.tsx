// What the epochs of a training came to: AP as a curve beside that of its parent, and all figures as a table.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { Epochs } from "./model-board.ts";
import { percent } from "./model-words.ts";

interface EpochListProps {
  readonly epochs: Epochs | undefined;
  /** AP of what the training began with. */
  readonly parent: number | undefined;
  /** At first. */
  readonly open: boolean;
  /** They are to be seen, and may have to be asked for. */
  readonly onOpen: () => void;
}

export function EpochList({ epochs, parent, open, onOpen }: EpochListProps): JSX.Element {
  const [isOpen, setOpen] = useState(open);
  return (
    <details
      open={isOpen}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
        if (event.currentTarget.open && !epochs) onOpen();
      }}
    >
      <summary>Epochs</summary>
      {isOpen && epochs && (
        <div class="epochs">
          <Curve epochs={epochs} parent={parent} />
          <div class="epoch-table" tabIndex={0} role="region" aria-label="Epochs">
            <table>
              <thead>
                <tr>
                  <th scope="col">Epoch</th>
                  <th scope="col">Box loss</th>
                  <th scope="col">Class loss</th>
                  <th scope="col">AP</th>
                  <th scope="col">AP50</th>
                </tr>
              </thead>
              <tbody>
                {epochs.toReversed().map(({ epoch, boxLoss, classLoss, figures, best }) => (
                  <tr key={epoch}>
                    <th scope="row">
                      {epoch}
                      {best ? " ▴" : ""}
                    </th>
                    <td>{boxLoss?.toFixed(3) ?? "–"}</td>
                    <td>{classLoss?.toFixed(3) ?? "–"}</td>
                    <td>{percent(figures["AP"])}</td>
                    <td>{percent(figures["AP50"])}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </details>
  );
}

const [WIDTH, HEIGHT, EDGE] = [320, 120, 6];

/** The table says the same, so it is a picture for those who see. */
function Curve({ epochs, parent }: { readonly epochs: Epochs; readonly parent: number | undefined }): JSX.Element {
  const values = epochs.map(({ figures }) => Math.max(0, figures["AP"] ?? 0));
  const top = Math.max(0.01, parent ?? 0, ...values);
  const last = Math.max(1, epochs.at(-1)?.epoch ?? 1);
  const x = (epoch: number): number => EDGE + (epoch / last) * (WIDTH - 2 * EDGE);
  const y = (value: number): number => HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
  const points = epochs.map(({ epoch }, i) => `${x(epoch).toFixed(1)},${y(values[i]!).toFixed(1)}`).join(" ");
  return (
    <figure class="epoch-curve">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {parent !== undefined && (
          <line class="curve-parent" x1={EDGE} x2={WIDTH - EDGE} y1={y(parent)} y2={y(parent)} />
        )}
        <polyline class="curve" points={points} />
        {epochs.map(({ epoch }, i) => (
          <circle key={epoch} class="curve-point" cx={x(epoch)} cy={y(values[i]!)} r="2.5" />
        ))}
      </svg>
      <figcaption class="help">
        AP by epoch{parent === undefined ? "" : `; dotted: ${percent(parent)}, what it began with`}. ▴ none before was
        as good.
      </figcaption>
    </figure>
  );
}

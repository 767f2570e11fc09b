// What the pointer and the keys do in the editor of captures.
import type { JSX } from "preact";

export function EditorHelp(): JSX.Element {
  return (
    <p class="help">
      Drag to draw a box, inside of others too. Click a box to select it; drag the selected one, its sides or corners to
      change it. <kbd>D</kbd> or <kbd>Shift</kbd>: draw inside of the selected box. <kbd>Enter</kbd> accept,{" "}
      <kbd>S</kbd> skip, <kbd>N</kbd> <kbd>P</kbd> next and previous, <kbd>[</kbd> <kbd>]</kbd> select a box,{" "}
      <kbd>B</kbd> new box, arrows move it (with <kbd>Alt</kbd> its size, with <kbd>Shift</kbd> ten pixels),{" "}
      <kbd>L</kbd> its label, <kbd>Del</kbd> delete it, <kbd>Ctrl Z</kbd> undo.
    </p>
  );
}

// Sees that no two pictures of different folders get the same name, where a form keeps names only.
import { MultiboxError } from "../../errors.ts";
import type { AnnotationLine } from "../annotation.ts";

export class UniqueNames {
  readonly #files = new Map<string, string>();

  /** The name itself. Fails with NAME_TAKEN where another picture has it; frames of a video cannot collide. */
  take(name: string, line: AnnotationLine): string {
    if (!("file" in line)) return name;
    // Some file systems do not tell letters by their size.
    const key = name.toLowerCase();
    const other = this.#files.get(key);
    if (other !== undefined)
      throw new MultiboxError(
        "NAME_TAKEN",
        `${line.file} and ${other} would both be ${name}.`,
        "Run them one after the other, with an --out of its own each, or choose a form with one file for all.",
      );
    this.#files.set(key, line.file);
    return name;
  }
}

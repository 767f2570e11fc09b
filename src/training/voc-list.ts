// The lists of PASCAL VOC (ImageSets/Main): a name in each line, in those of a class with a column of -1, 0 or 1 behind it.

const COLUMN = /^(.*\S)\s+(?:-1|\+?[01])$/;

export type ListedNames = { readonly names: string[] } | { readonly problem: string };

/**
 * `exists` tells whether there is an annotation of a name. Names may have blanks; a line is a name with a column only where the
 * whole of it is not a name, or where the other lines show that the list has columns.
 */
export function parseVocList(text: string, exists: (name: string) => boolean): ListedNames {
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const bare = lines.map((line) => COLUMN.exec(line)?.[1]);
  const isPlain = bare.some((name, i) => name === undefined && exists(lines[i]!));
  const hasColumns = bare.some((name, i) => name !== undefined && exists(name) && !exists(lines[i]!));
  const names: string[] = [];
  for (const [i, line] of lines.entries()) {
    const name = bare[i];
    if (name === undefined) {
      names.push(withoutEnding(line, exists));
      continue;
    }
    const [asWhole, asBare] = [exists(line), exists(name)];
    if (asWhole && asBare && isPlain === hasColumns)
      return { problem: `"${line}" is a name, and "${name}" is another with a column behind it` };
    const isWhole = asWhole && (!asBare || isPlain);
    names.push(isWhole ? line : withoutEnding(name, exists));
  }
  return { names };
}

/** Some tools list `street 1.jpg` for `street 1`. */
function withoutEnding(name: string, exists: (name: string) => boolean): string {
  if (exists(name)) return name;
  const bare = name.replace(/\.(?:jpe?g|png|xml)$/i, "");
  return exists(bare) ? bare : name;
}

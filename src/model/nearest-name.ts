// Names that a misspelt one may have been meant to be.

/** Edits between two names up to which one may be a slip of the other; short names have to be nearer. */
const MOST_EDITS = 2;
const PER_EDIT = 3;

/** Up to three of `names` that `name` may have been meant to be, the nearest first: a few edits away, or one appended to another. */
export function nearest(name: string, names: readonly string[]): string[] {
  const plain = plainOf(name);
  const near = names.flatMap((other) => {
    const known = plainOf(other);
    const most = Math.min(MOST_EDITS, Math.floor(Math.max(known.length, plain.length) / PER_EDIT));
    const edits = editDistance(plain, known);
    if (edits <= most) return [{ other, rank: edits }];
    // `personbicycle`: typed behind what was there.
    const isPart = known.length >= PER_EDIT && (plain.startsWith(known) || plain.endsWith(known));
    return isPart ? [{ other, rank: MOST_EDITS + 1 }] : [];
  });
  return near
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, 3)
    .map(({ other }) => other);
}

function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, "");
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

// ffmpeg's stderr as lines that begin where a message begins: the parsers of them need not care how a version joins them.

/** Lines about the input and the output, which end with what no name of a format or file can be mistaken for at a line's start. */
const HEADING = /(?:Input|Output) #\d+, [\w,]+, (?:from|to) '|Stream mapping:$/;
/** A heading where it belongs, or a row of metadata: its text is the file's own and means nothing. */
const WHOLE = /^\[info\] (?:Input #|Output #|Stream mapping:| )/;

/**
 * Some messages of ffmpeg end without a line end ("Odd rotation angle ... (ffmpeg-devel@ffmpeg.org)"); the next one follows on the same
 * line, and without its level. The parts of such a line, the second with its level.
 */
export function messagesOf(line: string): readonly string[] {
  if (WHOLE.test(line)) return [line];
  const at = line.search(HEADING);
  return at <= 0 ? [line] : [line.slice(0, at), `[info] ${line.slice(at)}`];
}

const ON_THE_FLY = /Changing (?:video )?frame properties on the fly|\] filter context - w: \d+/;

/**
 * Whether ffmpeg repeats, for every frame, that it differs from the first one: filters that are not set up again let such frames in.
 * Among the last lines it would hide why a run failed.
 */
export const isRepeated = (line: string): boolean => ON_THE_FLY.test(line);

/**
 * Whether the line says that a frame of another size reaches the filters. ffmpeg 4 does not print the sizes; there any other format
 * counts as well.
 */
export function isResized(line: string): boolean {
  const [, width, height, newWidth, newHeight] =
    /filter context - w: (\d+) h: (\d+) .*incoming frame - w: (\d+) h: (\d+) /.exec(line) ?? [];
  if (width !== undefined) return width !== newWidth || height !== newHeight;
  return line.includes("Changing frame properties on the fly");
}

/** The name of the format of the first input: `mpegts` of `[info] Input #0, mpegts, from 'a.ts':`. */
export const inputFormat = (line: string): string | undefined => /^\[info\] Input #0, (\w+),/.exec(line)?.[1];

/** Degrees that the line says a stream is to be rotated by; those of the output, which is rotated already, are 0. */
export function inputRotation(line: string): number | undefined {
  const degrees = Number(/displaymatrix: rotation of (-?[\d.]+) degrees/.exec(line)?.[1] ?? Number.NaN);
  return degrees === 0 || Number.isNaN(degrees) ? undefined : degrees;
}

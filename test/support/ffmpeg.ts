// Small real videos for the tests, made by ffmpeg, and what ffprobe says of them.
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFfmpeg } from "../../src/pipeline/find-ffmpeg.ts";

const run = promisify(execFile);
const FFPROBE = "ffprobe";

/** Whether tests can ask ffprobe; the npm package that ships ffmpeg has none. */
export const hasFfprobe = ((): boolean => {
  try {
    execFileSync(FFPROBE, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** A folder for one test file. Remove it with `remove`. */
export async function makeFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "multibox-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Runs ffmpeg on these arguments, split at blanks; the last is the file that it writes. */
export async function ffmpeg(...args: readonly string[]): Promise<Buffer> {
  const list = args.flatMap((arg) => arg.split(" "));
  const options = { encoding: "buffer", maxBuffer: 1 << 28 } as const;
  return (await run((await findFfmpeg()).path, ["-nostdin", "-v", "error", "-y", ...list], options)).stdout;
}

/** ffmpeg's test picture, which moves and has a colour in each corner. */
export const testPicture = (size: string, rate: number, seconds: number): string =>
  `-f lavfi -i testsrc=s=${size}:r=${rate}:d=${seconds}`;

/** Two halves, left black and right white, or as the expression of X, Y, W and H says. */
export const lumaPicture = (size: string, rate: number, seconds: number, luma = "if(lt(X,W/2),16,235)"): string =>
  // The source of colour makes sizes even, the scaler does not.
  `-f lavfi -i color=s=64x64:r=${rate}:d=${seconds},scale=${size.replace("x", ":")},format=yuv420p,geq=lum='${luma}':cb=128:cr=128`;

/** Encodes without loss, so that pixels can be compared. */
export const LOSSLESS = "-c:v libx264 -qp 0 -preset ultrafast -pix_fmt yuv420p";

/** The time of each frame in seconds, as ffprobe lists them. */
export async function frameTimes(path: string): Promise<number[]> {
  const args = "-v error -select_streams V:0 -show_entries frame=pts_time -of csv=p=0".split(" ");
  const { stdout } = await run(FFPROBE, [...args, path]);
  return stdout.split(/[\n,]/).filter(Boolean).map(Number);
}

/**
 * Makes an MP4 say that its image is to be rotated clockwise, a quarter as telephones write them: the matrix in the track header. By
 * hand, because each version of ffmpeg wants to be asked in another way.
 */
export async function turnBy(path: string, degrees: number): Promise<void> {
  const file = await readFile(path);
  const header = file.indexOf("tkhd");
  if (header < 0) throw new Error(`${path} has no track header.`);
  const matrix = header + 4 + 40;
  const [cos, sin] = [Math.cos, Math.sin].map((f) => Math.round(0x10000 * f((degrees * Math.PI) / 180)));
  [cos!, sin!, 0, -sin!, cos!, 0, 0, 0, 0x40000000].forEach((value, i) => file.writeInt32BE(value, matrix + 4 * i));
  await writeFile(path, file);
}

export const turnQuarter = (path: string): Promise<void> => turnBy(path, 90);

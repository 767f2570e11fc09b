// Short H.264 videos for the test camera: encoded by ffmpeg once, kept on disk, and taken apart into what a camera sends.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpeg, testPicture } from "./ffmpeg.ts";

/** What a camera films: a file over and over, or ffmpeg's test picture of this size and rate. */
export interface FeedSource {
  readonly file?: string;
  /** `WIDTHxHEIGHT` of the test picture; 320x240 when absent. */
  readonly size?: string;
  /** Pictures a second of the test picture; 25 when absent. */
  readonly fps?: number;
  /** Pictures between two others that need both to be decoded; none when absent. */
  readonly bFrames?: number;
  /** From one key frame to the next; a quarter of a second when absent, so that clients start soon. */
  readonly keySeconds?: number;
}

/** One picture as it is coded. */
export interface AccessUnit {
  /** When it is sent and when it is shown, in ticks of 1/90000 s from the beginning of the clip. */
  readonly sentAt: number;
  readonly shownAt: number;
  /** NAL units without start codes; parameter sets come before every key frame. */
  readonly nals: readonly Buffer[];
}

export interface Clip {
  /** In the order in which they are sent. */
  readonly units: readonly AccessUnit[];
  /** In ticks; the clip begins anew after it. */
  readonly duration: number;
  readonly sps: Buffer;
  readonly pps: Buffer;
}

export const TICKS = 90_000;

const [SPS, PPS] = [7, 8];
export const nalType = (nal: Uint8Array): number => nal[0]! & 0x1f;

/** Whether a decoder can begin here. */
export const isKey = ({ nals }: AccessUnit): boolean => nals.some((nal) => nalType(nal) === SPS);

/** Fails with what ffmpeg says of a file that it cannot read. */
export async function loadClip(source: FeedSource): Promise<Clip> {
  const args = encoderArguments(source);
  const folder = join(tmpdir(), `multibox-test-clips-${process.getuid?.() ?? 0}`);
  const name = join(folder, createHash("sha256").update(args.join("\n")).digest("hex").slice(0, 16));
  if (!existsSync(`${name}.h264`)) {
    await mkdir(folder, { recursive: true });
    const mine = `${name}.${process.pid}`;
    await ffmpeg(...args, "-f tee -map 0:v", `[f=framecrc]${mine}.txt|[f=h264]${mine}.h264`);
    for (const kind of ["txt", "h264"]) await rename(`${mine}.${kind}`, `${name}.${kind}`);
  }
  return parseClip(await readFile(`${name}.txt`, "utf8"), await readFile(`${name}.h264`));
}

function encoderArguments({ file, size = "320x240", fps = 25, bFrames = 0, keySeconds = 0.25 }: FeedSource): string[] {
  const input = file === undefined ? [testPicture(size, fps, 4)] : ["-i", file];
  const preset = bFrames === 0 ? "ultrafast -tune zerolatency" : `veryfast -x264-params b-adapt=0 -bf ${bFrames}`;
  const keys = `-g 1000 -sc_threshold 0 -force_key_frames expr:gte(t,n_forced*${keySeconds})`;
  return [...input, `-an -c:v libx264 -preset ${preset} -threads 1 -pix_fmt yuv420p ${keys}`];
}

/** `list` has a line a unit: `stream, dts, pts, duration, size, checksum`, in ticks of `#tb`; `bytes` are these units in a row. */
function parseClip(list: string, bytes: Buffer): Clip {
  const [, over, under] = /^#tb 0: (\d+)\/(\d+)/m.exec(list)!.map(Number);
  const ticks = (TICKS * over!) / under!;
  const rows = list
    .split("\n")
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(",").map(Number));
  const first = rows[0]![1]!;
  let at = 0;
  const units = rows.map(([, dts, pts, , size]): AccessUnit => {
    const nals = splitNals(bytes.subarray(at, at + size!));
    at += size!;
    return { sentAt: (dts! - first) * ticks, shownAt: (pts! - first) * ticks, nals };
  });
  const last = rows.at(-1)!;
  const find = (type: number): Buffer => units[0]!.nals.find((nal) => nalType(nal) === type)!;
  return { units, duration: (last[1]! + last[3]! - first) * ticks, sps: find(SPS), pps: find(PPS) };
}

/** A unit as a byte stream (H.264, annex B): each NAL unit after 00 00 01, which has a further 00 before it at times. */
function splitNals(unit: Buffer): Buffer[] {
  const CODE = Buffer.of(0, 0, 1);
  const starts: number[] = [];
  for (let at = unit.indexOf(CODE); at >= 0; at = unit.indexOf(CODE, at + 3)) starts.push(at);
  return starts.map((start, i) => {
    const next = starts[i + 1];
    if (next === undefined) return unit.subarray(start + 3);
    return unit.subarray(start + 3, unit[next - 1] === 0 ? next - 1 : next);
  });
}

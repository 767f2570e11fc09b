// The NUT reader on what a real ffmpeg writes, cut into all kinds of pieces, and on what is no NUT.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MultiboxError } from "../../src/errors.ts";
import { findFfmpeg } from "../../src/pipeline/find-ffmpeg.ts";
import { crc32, type NutStream } from "../../src/pipeline/nut-headers.ts";
import { NutParser } from "../../src/pipeline/nut.ts";
import { ffmpeg, makeFolder, testPicture } from "../support/ffmpeg.ts";

let sync: string;
let folder: Awaited<ReturnType<typeof makeFolder>>;
/** 25 pictures of 50x38, 10 a second. */
let nut: Buffer;
let raw: Buffer;

const nutOptions = (): string =>
  `${sync} passthrough -enc_time_base 1:90000 -c:v rawvideo -threads 1 -pix_fmt yuv420p -f nut -write_index 0`;
const SIZE = 50 * 38 + 2 * 25 * 19;

beforeAll(async () => {
  folder = await makeFolder();
  sync = (await findFfmpeg()).syncOption;
  const source = testPicture("50x38", 10, 2.5);
  nut = await ffmpeg(source, nutOptions(), "pipe:1");
  raw = await ffmpeg(source, "-f rawvideo -pix_fmt yuv420p pipe:1");
});
afterAll(() => folder.remove());

interface Seen {
  readonly streams: NutStream[];
  readonly times: number[];
  readonly pictures: Buffer[];
}

/** A parser with a buffer for each picture; `choose` may say otherwise for the n-th request. */
function reader(choose: (request: number) => "skip" | "wait" | "take" = () => "take"): [NutParser, Seen] {
  const seen: Seen = { streams: [], times: [], pictures: [] };
  let target: Uint8Array | undefined;
  let requests = 0;
  const parser = new NutParser({
    onStream: (stream) => seen.streams.push(stream),
    onPicture: () => {
      const choice = choose(requests++);
      const { width, height } = seen.streams[0]!;
      const bytes = width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
      target = choice === "take" ? new Uint8Array(new SharedArrayBuffer(bytes)) : undefined;
      return choice === "take" ? target! : choice;
    },
    onPictureEnd: (ticks) => {
      const [numerator, denominator] = seen.streams[0]!.timeBase;
      seen.times.push((ticks * numerator) / denominator);
      if (target) seen.pictures.push(Buffer.from(target));
    },
  });
  return [parser, seen];
}

/** One picture as NUT. */
async function nutOf(picture: Buffer, size: string): Promise<Buffer> {
  const file = join(folder.path, "picture.yuv");
  await writeFile(file, picture);
  return ffmpeg(`-f rawvideo -s ${size} -r 1 -pix_fmt yuv420p -i ${file}`, nutOptions(), "pipe:1");
}

/** Cuts into pieces of these lengths, over and over. */
function* pieces(data: Buffer, ...lengths: number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < data.length; i++) {
    const length = lengths[i % lengths.length]!;
    yield data.subarray(at, at + length);
    at += length;
  }
}

describe("a stream of ffmpeg's", () => {
  test.each([
    ["whole", [1 << 30]],
    ["byte by byte", [1]],
    ["in pieces of 64 KiB", [65536]],
    ["in odd pieces", [1, 2, 3, 5, 7, 11, 1000, 13, 8191]],
  ])("gives the same pictures as raw video, %s", (_, lengths) => {
    const [parser, seen] = reader();
    for (const piece of pieces(nut, ...lengths)) expect(parser.push(piece)).toBe(true);
    expect(seen.streams).toEqual([
      {
        number: 0,
        kind: "frames",
        width: 50,
        height: 38,
        timeBase: [1, 90000],
        sampleAspect: [1, 1],
        ptsBits: expect.any(Number) as number,
      },
    ]);
    expect(seen.times.map((time) => time.toFixed(6))).toEqual(
      Array.from({ length: 25 }, (__, i) => (i / 10).toFixed(6)),
    );
    expect(Buffer.concat(seen.pictures).equals(raw)).toBe(true);
  });

  test.each([
    ["as much as there is room for", [1 << 30]],
    ["byte by byte", [1]],
    ["in odd pieces", [1, 2, 3, 5, 7, 11, 1000, 13, 8191]],
  ])("gives the same pictures when it is read to where the parser says, %s", (_, lengths) => {
    // A picture waits now and then, and the room that was given before stays good.
    const [parser, seen] = reader((request) => (request % 5 === 3 ? "wait" : "take"));
    for (let at = 0, i = 0; at < nut.length; i++) {
      const room = parser.room();
      expect(room.length).toBeGreaterThan(0);
      const count = nut.copy(room, 0, at, at + lengths[i % lengths.length]!);
      at += count;
      expect(parser.filled(count) || parser.resume()).toBe(true);
    }
    expect(seen.times).toHaveLength(25);
    expect(Buffer.concat(seen.pictures).equals(raw)).toBe(true);
  });

  test("passes over pictures as well when it is read to where the parser says, and is left alone after stop", () => {
    const [parser, seen] = reader((request) => {
      if (request === 9) parser.stop();
      return request % 2 === 0 ? "take" : "skip";
    });
    for (let at = 0; at < nut.length;) {
      const count = nut.copy(parser.room(), 0, at);
      at += count;
      expect(parser.filled(count)).toBe(true);
    }
    expect(seen.times).toHaveLength(9);
    expect(seen.pictures[4]!.equals(raw.subarray(8 * SIZE, 9 * SIZE))).toBe(true);
  });

  test("pauses in the middle of a chunk while there is no buffer, and loses nothing", () => {
    let free = 3;
    const [parser, seen] = reader(() => (free-- > 0 ? "take" : "wait"));
    expect(parser.push(nut)).toBe(false);
    expect(seen.times).toHaveLength(3);
    expect(parser.resume()).toBe(false);
    expect(seen.times).toHaveLength(3);
    free = 2;
    expect(parser.resume()).toBe(false);
    expect(seen.times).toHaveLength(5);
    free = 100;
    expect(parser.resume()).toBe(true);
    expect(Buffer.concat(seen.pictures).equals(raw)).toBe(true);
  });

  test("lets pictures pass that nobody has room for, with their times", () => {
    const [parser, seen] = reader((request) => (request % 2 === 0 ? "take" : "skip"));
    for (const piece of pieces(nut, 4096)) parser.push(piece);
    expect(seen.times).toHaveLength(25);
    expect(seen.pictures).toHaveLength(13);
    expect(seen.pictures[1]!.equals(raw.subarray(2 * SIZE, 3 * SIZE))).toBe(true);
  });

  test("is left alone after stop, even in the middle of a chunk", () => {
    const [parser, seen] = reader((request) => {
      if (request === 4) parser.stop();
      return "take";
    });
    expect(parser.push(nut)).toBe(true);
    expect(parser.push(Buffer.from("anything"))).toBe(true);
    expect(seen.times).toHaveLength(4);
  });

  test.each(["1x1", "2x2", "3x1", "1921x3"])("may have pictures of %s", async (size) => {
    const source = testPicture("64x64", 10, 1);
    const sized = `-vf scale=${size.replace("x", ":")}`;
    const [parser, seen] = reader();
    parser.push(await ffmpeg(source, sized, nutOptions(), "pipe:1"));
    expect(Buffer.concat(seen.pictures)).toEqual(await ffmpeg(source, sized, "-f rawvideo -pix_fmt yuv420p pipe:1"));
  });

  test("may leave out the beginning of a picture that its header knows", async () => {
    // ffmpeg does so only with compressed video, so this frame is written by hand: one whose flags (key, size, index of
    // the beginning) are given in full, of 6 bytes, of which beginning number 2, a start code of MPEG-4, is left out.
    const data = await nutOf(Buffer.from([1, 2, 3, 4, 5, 6]), "2x2");
    const [parser, seen] = reader();
    for (const piece of pieces(Buffer.concat([data, Buffer.from([1, 0x88, 0x21, 6, 2, 9, 9])]), 3)) parser.push(piece);
    expect(seen.pictures).toEqual([Buffer.from([1, 2, 3, 4, 5, 6]), Buffer.from([0, 0, 1, 0xb6, 9, 9])]);
  });

  test("keeps times that lie hours apart, and those in between", async () => {
    const source = testPicture("16x16", 1, 5);
    const [parser, seen] = reader();
    parser.push(await ffmpeg(source, "-vf settb=1/1000,setpts=N*N*5000/TB+0.011/TB", nutOptions(), "pipe:1"));
    expect(seen.times.map((time) => Math.round(time * 1000))).toEqual([11, 5000011, 20000011, 45000011, 80000011]);
  });
});

describe("what is no NUT stream of raw pictures", () => {
  const REFUSED = "NUT_INVALID";
  const codeOf = (data: Buffer): unknown => {
    const [parser] = reader();
    try {
      parser.push(data);
    } catch (error) {
      return error instanceof MultiboxError ? error.code : error;
    }
    return undefined;
  };

  test("is refused at its first wrong byte", () => {
    expect(codeOf(Buffer.from("<!doctype html>"))).toBe(REFUSED);
    expect(codeOf(Buffer.from("nut/multimedia contained"))).toBe(REFUSED);
    expect(codeOf(Buffer.concat([nut.subarray(0, 25), Buffer.from([0])]))).toBe(REFUSED);
  });

  test("is refused when any byte of its headers is damaged", () => {
    const end = nut.indexOf(Buffer.from("4e4be4adeeca4569", "hex"));
    let refused = 0;
    for (let at = 0; at < end; at++) {
      const damaged = Buffer.from(nut);
      damaged[at]! ^= 0x10;
      if (codeOf(damaged) === REFUSED) refused += 1;
    }
    // A damaged start code of the info packet may become that of an index, and a length may ask for more than there is.
    expect(refused).toBeGreaterThan(end - 8);
  });

  test("is refused when a picture's place is taken by something else", () => {
    const second = nut.indexOf(raw.subarray(SIZE, SIZE + 64));
    expect(codeOf(Buffer.concat([nut.subarray(0, second + SIZE), Buffer.alloc(1000, 0xff)]))).toBe(REFUSED);
    expect(codeOf(Buffer.concat([nut.subarray(0, second + SIZE - 100), nut.subarray(second + SIZE)]))).toBe(REFUSED);
  });

  test("is refused when its pictures are not yuv420p, or not raw, or when there is sound with them", async () => {
    expect(codeOf(await ffmpeg(testPicture("50x38", 10, 1), "-c:v rawvideo -pix_fmt rgb24 -f nut pipe:1"))).toBe(
      REFUSED,
    );
    expect(codeOf(await ffmpeg(testPicture("50x38", 10, 1), "-c:v mpeg4 -f nut pipe:1"))).toBe(REFUSED);
    expect(
      codeOf(
        await ffmpeg(testPicture("50x38", 10, 1), "-f lavfi -i sine=d=1 -c:v rawvideo -pix_fmt yuv420p -f nut pipe:1"),
      ),
    ).toBe(REFUSED);
  });
});

test("the checksum is the CRC-32 of polynomial 04C11DB7 without inversions", () => {
  expect(crc32(Buffer.from("123456789")).toString(16)).toBe("89a1897f");
});

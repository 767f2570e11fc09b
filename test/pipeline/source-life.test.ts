// How sources run and end: back-pressure, drops, loops, kills and files that cannot be played, with the real ffmpeg.
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Frame } from "../../src/pipeline/frame.ts";
import { ffmpeg, makeFolder, testPicture } from "../support/ffmpeg.ts";
import { isRunning, processesWith, until } from "../support/processes.ts";
import { collect, fileConfig, open } from "../support/source.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
/** 25 pictures, 10 a second; several of them fit into the pipe. */
let clip: string;
const at = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await makeFolder();
  clip = at("clip.mp4");
  await ffmpeg(testPicture("32x32", 10, 2.5), "-c:v libx264", clip);
});
afterAll(() => folder.remove());

describe("a file that is played once", () => {
  test("waits while no buffer is free, and loses nothing", async () => {
    const { source, outcome, closed } = open(fileConfig(clip), { poolSize: 2 });
    const held: Frame[] = [];
    const end = { came: false };
    source.subscribe({ next: (frame) => held.push(frame), complete: () => (end.came = true) });
    await until(() => held.length === 2);
    // ffmpeg is done with this small clip as soon as the pipe has taken it, and still only two pictures have come.
    await until(() => processesWith(clip).length === 0);
    expect(held).toHaveLength(2);
    expect(outcome.decoded).toBe(2);
    const pixels = held.map(({ picture }) => picture.data);
    expect(pixels[0]).not.toBe(pixels[1]);
    for (let released = 0; !end.came;) {
      if (released < held.length) held[released++]!.release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(held.map(({ index }) => index)).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(held.map(({ pts }) => Math.round(pts * 10))).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(new Set(held.map(({ picture }) => picture.data)).size).toBe(2);
    expect([outcome.decoded, outcome.drops]).toEqual([25, []]);
  });

  test("does not give the next frame in the middle of releasing the last", async () => {
    const { source, closed } = open(fileConfig(clip), { poolSize: 1 });
    let releasing = false;
    let came = 0;
    source.subscribe((frame) => {
      expect(releasing).toBe(false);
      came += 1;
      setImmediate(() => {
        releasing = true;
        frame.release();
        releasing = false;
      });
    });
    await closed;
    expect(came).toBe(25);
  });
});

describe("a looped file", () => {
  test("is live, plays on over its end, and its times rise all the way", async () => {
    await ffmpeg(testPicture("32x32", 25, 0.4), "-c:v libx264 -bf 2", at("short.mp4"));
    const { frames } = await collect(fileConfig(at("short.mp4"), true), {}, 32);
    const times = frames.map(({ pts }) => pts);
    expect(frames.every(({ live }) => live)).toBe(true);
    expect(times[0]).toBeLessThan(0.1);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(0.01);
    expect(times.at(-1)).toBeGreaterThan(1);
  });

  test("drops what finds no buffer, counts it, and goes on when there is one", async () => {
    const { source, outcome, closed } = open(fileConfig(clip, true), { poolSize: 2 });
    const held: Frame[] = [];
    const subscription = source.subscribe((frame) => held.push(frame));
    await until(() => outcome.drops.length >= 2);
    expect(held.map(({ index }) => index)).toEqual([0, 1]);
    held[0]!.release();
    await until(() => held.length === 3);
    subscription.unsubscribe();
    expect(held[2]!.index).toBe(outcome.decoded - 1);
    expect(new Set(outcome.drops)).toEqual(new Set(["no-buffer"]));
    expect(outcome.decoded).toBe(held.length + outcome.drops.length);
    await closed;
  });
});

describe("ending", () => {
  const nothingLeft = (): void => expect(processesWith(folder.path)).toEqual([]);

  test("unsubscribing ends ffmpeg, even while nobody takes its pictures", async () => {
    const big = at("big.mp4");
    await ffmpeg(testPicture("640x480", 25, 4), "-c:v libx264 -preset ultrafast", big);
    const { source, closed } = open(fileConfig(big), { poolSize: 1 });
    let came = 0;
    const subscription = source.subscribe(() => (came += 1));
    await until(() => came === 1);
    expect(processesWith(big)).toHaveLength(1);
    subscription.unsubscribe();
    await closed;
    nothingLeft();
    expect(came).toBe(1);
  });

  test("unsubscribing at a frame that waited for its buffer ends ffmpeg", async () => {
    const { source, closed } = open(fileConfig(clip), { poolSize: 1 });
    let came = 0;
    const subscription = source.subscribe((frame) => {
      came += 1;
      if (came === 2) subscription.unsubscribe();
      else setImmediate(() => frame.release());
    });
    await closed;
    nothingLeft();
    expect(came).toBe(2);
  });

  test("unsubscribing before ffmpeg has started starts none", async () => {
    const { source, closed } = open(fileConfig(clip, true));
    source.subscribe(() => expect.unreachable()).unsubscribe();
    await closed;
    nothingLeft();
  });

  test("an ffmpeg that does not react is killed", async () => {
    const { source, closed } = open(fileConfig(clip, true));
    const subscription = source.subscribe((frame) => frame.release());
    await until(() => processesWith(clip).length === 1);
    const [pid] = processesWith(clip);
    process.kill(pid!, "SIGSTOP");
    subscription.unsubscribe();
    await closed;
    expect(isRunning(pid!)).toBe(false);
  });

  test.each(["SIGKILL", "SIGTERM"] as const)(
    "an ffmpeg that is killed by someone else (%s) is FFMPEG_DIED",
    async (signal) => {
      const { source, closed } = open(fileConfig(clip, true));
      const error = await new Promise((resolve) => {
        source.subscribe({
          next: (frame) => {
            frame.release();
            for (const pid of processesWith(clip)) process.kill(pid, signal);
          },
          error: resolve,
        });
      });
      expect(error).toMatchObject({ code: "FFMPEG_DIED", message: expect.stringContaining(clip) as string });
      await closed;
      nothingLeft();
    },
  );

  test("each subscription is a run of its own", async () => {
    const { source } = open(fileConfig(clip));
    const counts = await Promise.all(
      [0, 1].map(
        () =>
          new Promise<number>((resolve) => {
            let count = 0;
            source.subscribe({ next: (frame) => (frame.release(), (count += 1)), complete: () => resolve(count) });
          }),
      ),
    );
    expect(counts).toEqual([25, 25]);
  });
});

describe("files that cannot be played", () => {
  const code = async (path: string): Promise<string | undefined> => (await collect(fileConfig(path))).error?.code;

  test("a missing file, a folder, an empty file", async () => {
    await mkdir(at("folder.mp4"));
    await writeFile(at("empty.mp4"), "");
    expect(await code(at("missing.mp4"))).toBe("FILE_NOT_FOUND");
    expect(await code(join(clip, "inside.mp4"))).toBe("FILE_NOT_FOUND");
    expect(await code(at("folder.mp4"))).toBe("FILE_NOT_READABLE");
    expect(await code(at("empty.mp4"))).toBe("STREAM_EMPTY");
  });

  test.skipIf(process.getuid?.() === 0)("a file without permission (needs a user that is not root)", async () => {
    await writeFile(at("secret.mp4"), "x");
    await chmod(at("secret.mp4"), 0);
    expect(await code(at("secret.mp4"))).toBe("FILE_NOT_READABLE");
  });

  test("text, sound, a photo, and a file whose index is missing are no video", async () => {
    await writeFile(at("text.mp4"), "Not a video.\n".repeat(100));
    await ffmpeg("-f lavfi -i sine=d=0.2", at("sound.wav"));
    await writeFile(at("half.mp4"), (await readFile(clip)).subarray(0, 3000));
    // Some versions of ffmpeg paint what is called .txt.
    await writeFile(at("notes.txt"), "Not a video.\n".repeat(100));
    expect(await code(at("text.mp4"))).toBe("STREAM_NOT_VIDEO");
    expect(await code(at("notes.txt"))).toBe("STREAM_NOT_VIDEO");
    expect(await code(at("sound.wav"))).toBe("STREAM_NOT_VIDEO");
    expect(await code(at("half.mp4"))).toBe("STREAM_NOT_VIDEO");
    await ffmpeg(testPicture("64x48", 1, 1), "-frames:v 1", at("photo.jpg"));
    await copyFile(at("photo.jpg"), at("photo.mp4"));
    expect(await code(at("photo.jpg"))).toBe("STREAM_NOT_VIDEO");
    expect(await code(at("photo.mp4"))).toBe("STREAM_NOT_VIDEO");
  });

  test("a video without frames is empty", async () => {
    await ffmpeg(testPicture("64x48", 10, 1), "-frames:v 0 -c:v mpeg4", at("none.avi"));
    expect(await code(at("none.avi"))).toBe("STREAM_EMPTY");
  });

  test("a file that was cut short plays what there is, and says so", async () => {
    await ffmpeg(testPicture("64x48", 10, 2.5), "-c:v mpeg4 -g 1", at("whole.avi"));
    const whole = await readFile(at("whole.avi"));
    await writeFile(at("cut.avi"), whole.subarray(0, Math.floor(whole.length / 2)));
    const { frames, error, warnings } = await collect(fileConfig(at("cut.avi")));
    expect(error).toBeUndefined();
    expect(frames.length).toBeGreaterThan(5);
    expect(frames.length).toBeLessThan(25);
    expect(warnings.every((warning) => warning.code === "STREAM_TRUNCATED")).toBe(true);
  });

  test("a scheme that is not allowed", async () => {
    expect(await code("ftp://me:s3cret@host/x")).toBe("STREAM_BAD_SCHEME");
    const { error } = await collect(fileConfig("concat://me:s3cret@x"));
    expect(String(error)).not.toContain("s3cret");
  });

  test("a playlist cannot reach out of its own protocol", async () => {
    const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n`;
    await writeFile(at("list.m3u8"), playlist);
    expect((await collect(fileConfig(at("list.m3u8")))).error).toBeDefined();
  });
});

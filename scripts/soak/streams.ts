// The streams of the soak: most are cameras, each one of its own that can be broken, every fourth a file that is looped.
import { join } from "node:path";
import { ffmpeg, testPicture } from "../../test/support/ffmpeg.ts";
import type { FeedSource } from "../../test/support/h264-clip.ts";
import type { Multibox } from "../../test/support/multibox.ts";
import { startRtspServer, type RtspServer } from "../../test/support/rtsp-server.ts";

export interface SoakStream {
  readonly id: string;
  /** As it is added to the server, and again after a fault has removed it. */
  readonly config: { readonly id: string; readonly url: string; readonly transport: "tcp" | "udp" };
  /** Absent for a file. */
  readonly camera: RtspServer | undefined;
  /** What its command line has and no other's. */
  readonly address: string;
}

export const PASSWORD = "s0ak@/#:%secret";
const USER = "soak";
const SIZES = ["640x360", "1280x720", "320x240"];

/** The first one is never broken. */
export async function openStreams(multibox: Multibox, count: number, folder: string): Promise<SoakStream[]> {
  const streams: SoakStream[] = [];
  for (let i = 0; i < count; i++) {
    const stream = i % 4 === 3 ? await fileStream(`file-${i}`, folder) : await cameraStream(`cam-${i}`, i);
    const answer = await multibox.add(stream.config);
    if (!answer.ok) throw new Error(await answer.text());
    streams.push(stream);
  }
  return streams;
}

/** What camera number `i` films when nothing is wrong with it. */
export const pictureOf = (i: number): FeedSource => ({
  size: SIZES[i % SIZES.length]!,
  fps: 5,
  ...(i % 3 === 1 && { bFrames: 2 }),
});

async function cameraStream(id: string, i: number): Promise<SoakStream> {
  const auth = { user: USER, password: PASSWORD };
  const camera = await startRtspServer({ auth, startAnywhere: i % 2 === 1, paths: { "/cam1": pictureOf(i) } });
  const transport = i % 2 === 0 ? "tcp" : "udp";
  return {
    id,
    config: { id, url: camera.url("/cam1", auth), transport },
    camera,
    address: `127.0.0.1:${camera.port}/`,
  };
}

async function fileStream(id: string, folder: string): Promise<SoakStream> {
  const path = join(folder, `${id}.mp4`);
  await ffmpeg(testPicture("640x360", 5, 20), "-c:v libx264 -preset ultrafast -pix_fmt yuv420p", path);
  return { id, config: { id, url: path, transport: "tcp" }, camera: undefined, address: path };
}

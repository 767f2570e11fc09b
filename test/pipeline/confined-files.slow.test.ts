// A file that names other files is refused wherever a file can be given: streams of a real server, jobs and annotate. What it names is never read.
import { copyFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ffmpeg, lumaPicture, makeFolder } from "../support/ffmpeg.ts";
import { runMultibox, startMultibox, type Multibox } from "../support/multibox.ts";

let root: Awaited<ReturnType<typeof makeFolder>>;
let outside: Awaited<ReturnType<typeof makeFolder>>;
let multibox: Multibox;

const SEGMENT = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n";

beforeAll(async () => {
  [root, outside] = [await makeFolder(), await makeFolder()];
  const secret = join(outside.path, "secret.ts");
  await ffmpeg(lumaPicture("64x48", 5, 2, "200"), "-c:v mpeg2video -f mpegts", secret);
  await copyFile(secret, join(root.path, "good.ts"));
  await ffmpeg(lumaPicture("64x48", 5, 1, "200"), "-c:v mjpeg", join(root.path, "n%02d.jpg"));
  const files: Readonly<Record<string, string>> = {
    "list.m3u8": `${SEGMENT}${secret}\n#EXT-X-ENDLIST\n`,
    "named.mp4": `${SEGMENT}${secret}\n#EXT-X-ENDLIST\n`,
    "inside.m3u8": `${SEGMENT}good.ts\n#EXT-X-ENDLIST\n`,
    "list.mpd": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp2t"><Representation id="1" bandwidth="1"><BaseURL>${secret}</BaseURL><SegmentList duration="2"><SegmentURL media="${secret}"/></SegmentList></Representation></AdaptationSet></Period></MPD>`,
    "list.ffconcat": `ffconcat version 1.0\nfile '${secret}'\n`,
    "list.txt": `ffconcat version 1.0\nfile '${secret}'\n`,
    "list.sdp":
      "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root.path, name), text);
  await symlink(secret, join(root.path, "link.ts"));
  multibox = await startMultibox(["--no-demo", "--stall-seconds", "120", "--file-roots", root.path]);
});
afterAll(async () => {
  await multibox?.stop();
  await root?.remove();
  await outside?.remove();
});

const LISTS = ["list.m3u8", "named.mp4", "inside.m3u8", "list.mpd", "list.ffconcat", "list.txt", "list.sdp"];

test("a stream of one is misconfigured, and gives no frame", async () => {
  for (const [i, name] of LISTS.entries()) {
    expect((await multibox.add({ id: `s${i}`, url: join(root.path, name), loop: true })).status).toBe(201);
    const { error, counts } = await multibox.streamOnce(`s${i}`, (stream) => stream.error !== undefined);
    expect([name, error!.code, counts.decoded]).toEqual([name, "STREAM_NOT_VIDEO", 0]);
  }
  const { status } = await multibox.add({ id: "link", url: join(root.path, "link.ts") });
  expect(status).toBe(403);
});

test("a stream of a file that holds its own images plays", async () => {
  await multibox.add({ id: "good", url: join(root.path, "good.ts"), loop: true });
  const { counts } = await multibox.streamOnce("good", ({ counts: { decoded } }) => decoded > 2);
  expect(counts.decoded).toBeGreaterThan(2);
});

test("a job of one is refused", async () => {
  for (const name of LISTS) {
    const answer = await multibox.ask("/v1/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ path: join(root.path, name) }),
    });
    expect([name, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      name,
      400,
      "STREAM_NOT_VIDEO",
    ]);
  }
});

test("annotate refuses them all, with a sentence", async () => {
  for (const name of LISTS) {
    const { code, stderr } = await runMultibox([
      "annotate",
      join(root.path, name),
      "--out-dir",
      join(root.path, "out"),
    ]);
    expect([name, code, stderr]).toEqual([name, 1, expect.stringMatching(`STREAM_NOT_VIDEO.*${name}`)]);
  }
});

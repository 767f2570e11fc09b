// The whole server on a camera by RTSP: detections over TCP and UDP, and again after the camera was away.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { testCacheDir } from "../support/model.ts";
import { gapOf, withMultibox, type Multibox } from "../support/multibox.ts";
import { processesWith } from "../support/processes.ts";
import { startRtspServer, type RtspServer } from "../support/rtsp-server.ts";
import type { SocketClient } from "../support/socket-client.ts";

const auth = { user: "admin", password: "p@ss:w/rd#1" };
/** The password and what is left of it when it is cut or encoded in one way or another. */
const SECRETS = [auth.password, encodeURIComponent(auth.password), "p@ss", "p%40ss", "w/rd", "w%2Frd"];

let camera: RtspServer;

beforeAll(async () => {
  camera = await startRtspServer({ auth, paths: { "/cars": { file: await demoClip(testCacheDir()) } } });
});
afterAll(() => camera.close());

describe.each(["tcp", "udp"] as const)(
  "a camera by RTSP over %s, with Digest and a difficult password",
  (transport) => {
    it("is detected, is missed while it is away, and is detected again", async () => {
      await withMultibox(["--no-demo"], async (multibox) => {
        // As people write it, with nothing encoded.
        const url = camera.url("/cars").replace("://", `://${auth.user}:${auth.password}@`);
        const client = await multibox.connect("*");
        const answer = await multibox.add({ id: "cam", url, transport });
        expect(await answer.json()).toMatchObject({ id: "cam", url: camera.url("/cars") });

        const first = await untilFound(client, -1);
        expect(first).toMatchObject({ stream: "cam", width: 1280, height: 720 });
        expect(camera.requests).toContain("DESCRIBE /cars 401");
        expect(camera.requests).toContain(`SETUP /cars 200 ${transport}`);

        await camera.stop();
        const away = await client.until((m) => m.type === "stream" && m.state === "retrying");
        expect(away).toMatchObject({ stream: "cam", error: { code: expect.stringMatching(/^STREAM_/) as string } });
        await client.until((m) => m.type === "stream" && m.error?.code === "STREAM_UNREACHABLE");
        const before = client.detections().at(-1)!.seq;
        await camera.start();
        await untilFound(client, before);

        expect(statesOf(client)).toEqual(["connecting", "live", "retrying", "live"]);
        // Numbers go on over the pause, without a gap and without a repetition.
        const seqs = client.detections().map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, i) => i));
        const [info] = await multibox.streams();
        expect(info).toMatchObject({ id: "cam", state: "live", width: 1280, height: 720 });
        expect(info!.error).toBeUndefined();
        expect(gapOf(info!)).toBe(0);
        expect(info!.counts.detected).toBeGreaterThan(before);
        await expectNoSecret(multibox, client);
        client.socket.close();
      });
      expect(processesWith(`127.0.0.1:${camera.port}/`)).toEqual([]);
    });
  },
);

describe("a camera by RTSP", () => {
  it("that falls silent is started again, and its state is told", async () => {
    const url = camera.url("/cars", auth);
    await withMultibox(["--stream", `cam=${url}`, "--stall-seconds", "3"], async (multibox) => {
      expect(multibox.ready.streams).toEqual([{ id: "cam", url: camera.url("/cars") }]);
      const client = await multibox.connect("*");
      await untilFound(client, -1);
      camera.stall();
      const event = await client.until((m) => m.type === "stream" && m.state === "stalled");
      expect(event).toMatchObject({ error: { code: "STREAM_STALLED" } });
      const before = client.detections().at(-1)!.seq;
      camera.resume();
      await untilFound(client, before);
      expect(multibox.stderr).toContain("STREAM_STALLED");
      await expectNoSecret(multibox, client);
      client.socket.close();
    });
  });
});

/** Something is seen in a frame after this one. */
function untilFound(client: SocketClient, after: number): Promise<{ readonly type: string }> {
  return client.until((m) => m.type === "detections" && m.seq > after && m.detections.some(({ score }) => score > 0.5));
}

/** Each state once as long as it lasted. */
function statesOf(client: SocketClient): string[] {
  const states = client.messages.flatMap((m) => (m.type === "stream" ? m.state : []));
  return states.filter((state, i) => state !== states[i - 1]);
}

/** Neither the log nor any answer has the password. */
async function expectNoSecret(multibox: Multibox, client: SocketClient): Promise<void> {
  const paths = ["/v1/streams", "/v1/streams/cam", "/metrics", "/health/ready"];
  const answers = await Promise.all(paths.map(async (path) => (await multibox.ask(path)).text()));
  const said = [multibox.stdout, multibox.stderr, JSON.stringify(client.messages), ...answers].join("\n");
  expect(said).toContain("cam");
  for (const secret of SECRETS) expect(said).not.toContain(secret);
}

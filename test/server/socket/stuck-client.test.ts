// A client that stays stuck is told to come back later, and cut off soon after; the others get everything meanwhile.
import { setTimeout as wait } from "node:timers/promises";
import { VirtualTimeScheduler } from "rxjs";
import { expect, test } from "vitest";
import { found } from "../../support/scripted-pipeline.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";

/** About 16 kB a message. */
const MANY = Array.from({ length: 200 }, () => found("red", 0.9));
const FRAMES = 600;

test.each([
  ["that reads again sees the farewell", true, 1013],
  ["that does not is cut off", false, 1006],
])(
  "a client %s",
  async (_what, readsAgain, code) => {
    const clock = new VirtualTimeScheduler();
    const pass = (ms: number): void => {
      clock.maxFrames = clock.frame + ms;
      clock.flush();
      clock.frame = clock.maxFrames;
    };
    await withServer({ deps: { clock } }, async ({ socketUrl, pipeline, url }) => {
      pipeline.addStream("a");
      const [good, stuck] = await Promise.all([SocketClient.open(socketUrl), SocketClient.open(socketUrl)]);
      for (const client of [good, stuck]) await client.ask({ type: "subscribe", streams: ["a"] });
      stuck.socket.pause();
      for (let seq = 0; seq < FRAMES; seq++) {
        pipeline.show("a", MANY);
        await good.untilSeq(seq);
      }
      // What the kernel takes for it counts as read, until its buffers are full.
      await wait(20);
      // One ping, and the next one, by which nothing has come of it. The good one answers, once the ping has got there.
      for (let beat = 0; beat < 2; beat++) {
        pass(30_000);
        await good.ask({ type: "ping" });
      }
      const clients = async (): Promise<string | undefined> =>
        /multibox_ws_clients (\d+)/.exec(await (await fetch(`${url}metrics`)).text())?.[1];
      if (readsAgain) stuck.socket.resume();
      else pass(5000);
      while ((await clients()) !== "1") await wait(5);
      stuck.socket.resume();
      expect((await stuck.closed).code).toBe(code);
      pipeline.show("a");
      await good.untilSeq(FRAMES);
      expect(good.detections().filter(({ dropped }) => dropped > 0)).toEqual([]);
    });
  },
  60_000,
);

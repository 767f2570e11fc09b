// A client that does not read must cost nobody anything but itself its oldest messages.
import { expect, test } from "vitest";
import { found } from "../../support/scripted-pipeline.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";

const FRAMES = 1500;
/** About 26 kB a message, so that the kernel's buffers are full long before the end. */
const MANY = Array.from({ length: 200 }, () => found("red", 0.987_654_321));

test("one client reads and gets every frame, the other does not and is told what it missed", async () => {
  await withServer({}, async ({ socketUrl, pipeline, url }) => {
    for (const id of ["a", "b"]) pipeline.addStream(id);
    const [fast, slow] = await Promise.all([SocketClient.open(socketUrl), SocketClient.open(socketUrl)]);
    for (const client of [fast, slow]) await client.ask({ type: "subscribe", streams: ["*"] });
    slow.socket.pause();
    for (let seq = 0; seq < FRAMES; seq++) {
      pipeline.show("a", MANY);
      if (seq % 5 === 0) pipeline.show("b");
      await fast.untilSeq(seq, "a");
    }
    expect(fast.detections("a").map(({ seq, dropped }) => seq * 10 + dropped)).toEqual(
      Array.from({ length: FRAMES }, (_, i) => i * 10),
    );
    // An event is not lost, however late it is read.
    pipeline.setStatus("b", { state: "stalled" });
    slow.socket.resume();
    await slow.until((message) => message.type === "stream" && message.state === "stalled");
    for (const id of ["a", "b"]) {
      const got = slow.detections(id);
      let next = 0;
      for (const { seq, dropped } of got) {
        expect({ seq, dropped }).toEqual({ seq, dropped: seq - next });
        next = seq + 1;
      }
      expect(next).toBe(pipeline.counts(id).detected);
      expect(got.length).toBeLessThan(next);
    }
    const missed = pipeline.counts("a").detected - slow.detections("a").length;
    const metrics = await (await fetch(`${url}metrics`)).text();
    expect(metrics).toContain(`multibox_ws_messages_dropped_total{stream="a",cause="slow"} ${missed}`);
    // 64 messages were kept for it, and what sockets hold besides; all of them would be 39 MB.
    expect(slow.detections("a").length).toBeLessThan(FRAMES / 2);
    expect(pipeline.pool.lent).toBe(2);
  });
}, 30_000);
